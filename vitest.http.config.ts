import { defineConfig } from "vitest/config";

/** The API over HTTP, through both doors, against the running stack that `SLUICE_STACK` describes. */
export default defineConfig({
  resolve: { alias: { "@": import.meta.dirname } },
  test: {
    include: ["test/http/**/*.test.ts"],
    environment: "node",
    globalSetup: ["test/http/second-door.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The tests look at what the stand-ins recorded and switch their faults on: one file at a time.
    fileParallelism: false,
  },
});
