import { createHash, randomBytes } from "node:crypto";
import { EncryptJWT, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { leaksIn, secretsOf, signedToken, tokenPartsIn } from "./leaks";

const secret = () => randomBytes(32).toString("base64");
const settings = {
  AUTH_SECRET: secret(), SESSION_KEKS: `s2:${secret()},s1:${secret()}`, VAULT_KEKS: `v1:${secret()}`, NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: secret(), ADMIN_TOKEN: secret(), METRICS_TOKEN: secret(), FLOWISE_API_KEY: secret(),
  KEYCLOAK_CLIENT_SECRET: secret(), KEYCLOAK_MACHINE_CLIENT_SECRET: secret(), KEYCLOAK_DIRECT_CLIENT_SECRET: secret(), KEYCLOAK_SYNC_CLIENT_SECRET: secret(), DATABASE_URL: "postgres://sluice:a-long-password@127.0.0.1:5432/sluice",
  AUTH_URL: "http://localhost:3000", PASSWORD_GRANT_ENABLED: "true", CONTACT: "ada@acme.test", REDIS_URL: "redis://127.0.0.1:6379",
};
const secrets = secretsOf(settings);
const handle = randomBytes(32).toString("base64url");
const id = createHash("sha256").update(handle).digest("base64url");
const leaks = (line: string) => leaksIn(`{"level":20,"msg":"before"}\n${line}\n{"level":30}\n`, secrets, new Set([id])).map((one) => one.split(":")[0]);

describe("a log that tells a secret", () => {
  it("is found out for every secret setting, each key of a ring and a password in an address, also where it is part of an address itself", () => {
    expect(secrets.map(([name]) => name).sort()).toEqual(["ADMIN_TOKEN", "AUTH_SECRET", "DATABASE_URL", "FLOWISE_API_KEY", "KEYCLOAK_CLIENT_SECRET", "KEYCLOAK_DIRECT_CLIENT_SECRET", "KEYCLOAK_MACHINE_CLIENT_SECRET", "KEYCLOAK_SYNC_CLIENT_SECRET", "METRICS_TOKEN", "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY", "SESSION_KEKS", "SESSION_KEKS", "VAULT_KEKS"]);
    for (const [name, value] of secrets) {
      expect(leaks(JSON.stringify({ level: 20, msg: `it is ${value}` })), name).toContain(name);
      expect(leaks(`GET /?x=${encodeURIComponent(value)}&y=1`), name).toContain(name);
    }
  });

  it("is found out for what looks like a token, a key, a credential or a code", () => {
    for (const line of [`eyJ${"a".repeat(30)}.x`, `slk_${"a".repeat(43)}`, `srt_${"A1".repeat(22)}`, `Basic ${secret()}`, `Bearer ${"x".repeat(40)}`, `GET /api/auth/callback/keycloak?state=1&code=${"c".repeat(36)}`]) expect(leaks(line), line).toEqual(["a token, key or code"]);
  });

  it("is told of with the place, and with no secret in that", () => {
    const [[, first], [, second]] = [secrets[0]!, secrets[1]!];
    const told = leaksIn(`{"msg":"before"}\n{"msg":"both","one":"${first}","other":"${second}"}\n`, secrets, new Set()).join("\n");
    expect(told).toContain('"msg":"both"');
    for (const [, value] of secrets) expect(told).not.toContain(value);
  });

  it("is found out for a session's handle, while the session's id is no secret", () => {
    expect(leaks(`"h":"${handle}"`)).toEqual(["a session's handle"]);
    expect(leaks(`"sessionId":"${id}"`)).toEqual([]);
  });
});

it("a log of ids, addresses and words tells nothing", () => {
  expect(leaks(JSON.stringify({ level: 30, requestId: "01a2024d-63e8-725c-9f1c-1c7d25e7d013", path: "/api/auth/callback/keycloak", actor: id, msg: "Basic words", url: settings.AUTH_URL, store: settings.REDIS_URL }))).toEqual([]);
});

describe("a signed token", () => {
  it("is known in any text, whatever stands around it; an encrypted cookie and a hash that begins like one are none", async () => {
    const key = randomBytes(32);
    const signed = await new SignJWT({ sub: "uma" }).setProtectedHeader({ alg: "HS256", typ: "JWT", kid: "k" }).sign(key);
    for (const text of [signed, JSON.stringify({ a: signed }), `Bearer ${signed}`]) expect(text).toMatch(signedToken);
    expect(await new EncryptJWT({ sub: "uma" }).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key)).not.toMatch(signedToken);
    expect(`eyJ${handle}.${handle}`).not.toMatch(signedToken);
  });

  it("is found by any part of it, encrypted or not and inside of other letters; an identifier that begins like one is none", async () => {
    const key = randomBytes(32);
    const signed = await new SignJWT({ sub: "uma" }).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(key);
    const encrypted = await new EncryptJWT({ sub: "uma" }).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key);
    for (const part of [signed, signed.slice(0, 20), signed.split(".")[1] ?? "", `AeyJ${signed}`, encrypted]) expect(tokenPartsIn(`x ${part}`), part).not.toEqual([]);
    expect(tokenPartsIn(`a sluice: ${id} eyJM1jX_BOhfgEAH1SpiN1J3mFiPeMg1jX_BOhfgEAH1Spi sl:ix:sub:eMeyJ1jX_BOhfgEAH1SpiN1J3`)).toEqual([]);
  });
});
