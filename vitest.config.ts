import { defineConfig } from "vitest/config";

const root = import.meta.dirname;

export default defineConfig({
  resolve: { alias: { "@": root, "server-only": `${root}/dev/testing/empty.ts` } },
  test: {
    environment: "node",
    include: ["lib/**/*.test.ts", "server/**/*.test.ts", "dev/**/*.test.ts", "app/**/*.test.ts", "ops/**/*.test.ts", "bench/*/*.test.ts"],
    exclude: ["**/node_modules/**", ".next/**"],
    globalSetup: ["dev/testing/global-setup.ts"],
    setupFiles: ["dev/testing/setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One PostgreSQL and one Redis for all files: each mints its own tenant, so files may run side by side.
    fileParallelism: true,
    maxWorkers: 2,
    // Modules are loaded once a worker and not once a file, which is half of the run; dev/testing/setup.ts tidies up between files.
    isolate: false,
  },
});
