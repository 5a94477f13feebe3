import { defineConfig } from "vitest/config";

const root = import.meta.dirname;

/**
 * The long forms of what `test/http` shows in small: thousands of revocations, fail-overs, crashes. Each file starts
 * processes of the built server (`npm run build`) on stores of its own.
 */
export default defineConfig({
  resolve: { alias: { "@": root, "server-only": `${root}/dev/testing/empty.ts` } },
  test: {
    environment: "node",
    include: ["test/storm/**/*.test.ts"],
    globalSetup: ["dev/testing/global-setup.ts"],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
