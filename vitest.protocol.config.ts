import { defineConfig } from "vitest/config";

const root = import.meta.dirname;

/**
 * What the product relies on at its identity provider, asked of the embedded stand-in or of a real Keycloak:
 * `SLUICE_PROTOCOL=embedded` (the default) or `keycloak`. See test/protocol/README.md.
 */
export default defineConfig({
  resolve: { alias: { "@": root, "server-only": `${root}/dev/testing/empty.ts` } },
  test: {
    environment: "node",
    include: ["test/protocol/**/*.test.ts"],
    globalSetup: ["test/protocol/keycloak.ts"],
    // Steps that must lie seconds apart wait side by side.
    maxConcurrency: 12,
    testTimeout: 40_000,
    hookTimeout: 60_000,
    // The files share one Keycloak and, while they want the same settings, one realm of it. The embedded one is each file's own.
    fileParallelism: process.env.SLUICE_PROTOCOL !== "keycloak",
    maxWorkers: process.env.SLUICE_PROTOCOL === "keycloak" ? 1 : 2,
    isolate: false,
  },
});
