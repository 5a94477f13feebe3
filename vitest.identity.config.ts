import { defineConfig } from "vitest/config";

/**
 * People, sessions and tokens under fault and abuse, on the running stack that `SLUICE_STACK` describes. The tests start
 * server processes of their own beside it, which are killed, paused and lied to. See test/identity/README.md.
 */
export default defineConfig({
  resolve: { alias: { "@": import.meta.dirname } },
  test: {
    include: ["test/identity/**/*.test.ts"],
    environment: "node",
    globalSetup: ["test/identity/stack.ts"],
    testTimeout: 120_000,
    hookTimeout: 90_000,
    // All of them turn the realm's settings and the faults of one identity provider: one file at a time.
    fileParallelism: false,
  },
});
