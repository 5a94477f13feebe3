import { randomBytes } from "node:crypto";

const key = () => randomBytes(32).toString("base64");

/** Settings for a web process under test; addresses of the parts are filled in by whoever starts them. */
export function testEnv(parts: { databaseUrl: string; redisUrl: string; issuer?: string; nflowUrl?: string; flowiseUrl?: string; authUrl?: string }): Record<string, string> {
  return {
    NODE_ENV: "test",
    LOG_LEVEL: "error",
    AUTH_URL: parts.authUrl ?? "http://localhost:3000",
    AUTH_SECRET: randomBytes(33).toString("base64"),
    SESSION_KEKS: `s1:${key()}`,
    VAULT_KEKS: `v1:${key()}`,
    KEYCLOAK_ISSUER: parts.issuer ?? "http://localhost:9/realms/sluice",
    KEYCLOAK_CLIENT_ID: "sluice-web",
    KEYCLOAK_CLIENT_SECRET: "sluice-web-secret",
    KEYCLOAK_MACHINE_CLIENT_ID: "sluice-machine",
    KEYCLOAK_MACHINE_CLIENT_SECRET: "sluice-machine-secret",
    KEYCLOAK_DIRECT_CLIENT_ID: "sluice-direct",
    KEYCLOAK_DIRECT_CLIENT_SECRET: "sluice-direct-secret",
    KEYCLOAK_SYNC_CLIENT_ID: "sluice-sync",
    KEYCLOAK_SYNC_CLIENT_SECRET: "sluice-sync-secret",
    PASSWORD_GRANT_ENABLED: "true",
    DATABASE_URL: parts.databaseUrl,
    REDIS_URL: parts.redisUrl,
    NFLOW_API_URL: parts.nflowUrl ?? "http://localhost:9/v1",
    FLOWISE_URL: parts.flowiseUrl ?? "http://localhost:9",
    FLOWISE_API_KEY: "flowise-service-key-for-tests",
    UPSTREAM_FIRST_BYTE_TIMEOUT_MS: "5000",
  };
}
