import { inject } from "vitest";
import { describe, expect, it } from "vitest";
import { EnvError, parseEnv } from "./env";

const good = inject("env");

function refusals(change: Record<string, string | undefined>): string[] {
  try {
    parseEnv({ ...good, ...change });
    return [];
  } catch (error) {
    if (error instanceof EnvError) return error.lines;
    throw error;
  }
}

describe("the environment", () => {
  it("passes as the tests use it", () => {
    expect(refusals({})).toEqual([]);
  });

  it.each([
    ["a missing secret", { AUTH_SECRET: undefined }, /^AUTH_SECRET is missing$/],
    ["an empty one", { AUTH_SECRET: "" }, /^AUTH_SECRET is missing$/],
    ["a short one", { AUTH_SECRET: "abcdefgh" }, /^AUTH_SECRET must be at least 32/],
    ["a famous one", { AUTH_SECRET: "changeme-changeme-changeme-changeme" }, /^AUTH_SECRET is too weak/],
    ["one letter many times", { AUTH_SECRET: "a".repeat(64) }, /^AUTH_SECRET is too weak/],
    ["a key ring without ids", { SESSION_KEKS: "abc" }, /^SESSION_KEKS must be kid:base64/],
    ["a short key", { VAULT_KEKS: "v1:YWJj" }, /^VAULT_KEKS key v1 must be 32 bytes/],
    ["one key for two rings", { VAULT_KEKS: good.SESSION_KEKS }, /^VAULT_KEKS must not share/],
    ["plain http for the issuer", { KEYCLOAK_ISSUER: "http://keycloak.example.com/realms/x" }, /^KEYCLOAK_ISSUER must be https/],
    ["plain http for ourselves", { AUTH_URL: "http://sluice.example.com" }, /^AUTH_URL must be https/],
    ["a URL with a password", { AUTH_URL: "https://u:p@sluice.example.com" }, /^AUTH_URL must not carry credentials/],
    ["an NFlow key", { NFLOW_API_KEY: "whatever" }, /^NFLOW_API_KEY must not be set/],
    ["a mode that does not exist", { SERVER_MODE: "both" }, /^SERVER_MODE /],
    ["a strategy that does not exist yet", { OWNER_TOKEN_STRATEGY: "jwt-grant" }, /^OWNER_TOKEN_STRATEGY /],
    ["a service key that is wanted and missing", { FLOWISE_AUTH: "service-key", FLOWISE_API_KEY: undefined }, /^FLOWISE_API_KEY is needed/],
    ["one Keycloak client for two purposes", { KEYCLOAK_MACHINE_CLIENT_ID: "sluice-web" }, /clients must differ/],
    ["the prefix of an earlier system", { API_KEY_PREFIX: "kaa" }, /^API_KEY_PREFIX belongs/],
    ["a rate of nothing", { USER_RATE_LIMIT: "0/60" }, /^USER_RATE_LIMIT must be at least/],
    ["a proxy that is no address", { TRUSTED_PROXIES: "everybody" }, /^TRUSTED_PROXIES must/],
    ["a Redis that speaks http", { REDIS_URL: "http://redis:6379" }, /^REDIS_URL must be a redis:\/\/, rediss:\/\/, redis\+sentinel:/],
    ["Sentinels without the primary's name", { REDIS_URL: "redis+sentinel://a:26379,b:26379" }, /^REDIS_URL must name the primary/],
    ["Sentinels with an empty place between them", { REDIS_URL: "redis+sentinel://a:26379,,b/main" }, /^REDIS_URL must list its Sentinels/],
    ["a Sentinel on no port", { REDIS_URL: "redis+sentinel://a:99999/main" }, /^REDIS_URL must list its Sentinels/],
    ["a word that no Sentinel address has", { REDIS_URL: "redis+sentinel://a/main?password=x" }, /^REDIS_URL may carry sentinelUsername/],
    ["several servers without Sentinel", { REDIS_URL: "redis://a:1,b:2/0" }, /^REDIS_URL cannot be read; several Sentinels/],
  ])("%s stops the process with one line", (_name, change, line) => {
    const lines = refusals(change);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });

  it("no line holds a value, since values may be secrets", () => {
    const secret = "hunter2-hunter2";
    expect(refusals({ AUTH_SECRET: secret, SESSION_KEKS: `k:${secret}`, VAULT_KEKS: `${secret}`, REDIS_URL: `redis+sentinel://u:${secret}@a/main?x=${secret}`, KEYCLOAK_ISSUER: `nonsense-${secret}` }).join("\n")).not.toContain(secret);
  });

  it("loopback may be plain http, by every name", () => {
    for (const host of ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"]) expect(refusals({ AUTH_URL: `http://${host}` })).toEqual([]);
  });
});
