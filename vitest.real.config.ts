import { defineConfig } from "vitest/config";

/** What needs a real Keycloak of its own (`SLUICE_REAL_KEYCLOAK`): the operator's commands. */
export default defineConfig({
  resolve: { alias: { "@": import.meta.dirname } },
  test: {
    include: ["test/real/**/*.test.ts"],
    environment: "node",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
