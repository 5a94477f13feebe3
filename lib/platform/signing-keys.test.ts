import { createHmac } from "node:crypto";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { moveClock, resetClock } from "./clock";
import { db } from "./db";
import { env } from "./env";
import { forgetSigningKeys, publicKeySet, signJwt, verifyJwt } from "./signing-keys";

const audience = "https://example.test";
const sign = () => signJwt({ sub: "ada", aud: audience }, { typ: "at+jwt", expiresInSeconds: 60 });
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("signing keys", () => {
  afterEach(resetClock);

  it("what one process signs, another verifies, and the private part is nowhere readable", async () => {
    const jwt = await sign();
    forgetSigningKeys();
    expect(await verifyJwt(jwt, { typ: "at+jwt", audience })).toMatchObject({ iss: env().AUTH_URL, sub: "ada" });
    const { keys } = await publicKeySet();
    expect(keys.map((k) => k.kid)).toContain(decodeProtectedHeader(jwt).kid);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    const rows = await db().signingKey.findMany();
    expect(JSON.stringify(rows)).not.toMatch(/"d"/);
  });

  it("all who need the first key at once agree on one", async () => {
    await db().signingKey.updateMany({ data: { state: "retired" } });
    forgetSigningKeys();
    const tokens = await Promise.all(Array.from({ length: 5 }, () => sign()));
    expect(await db().signingKey.count({ where: { state: "active" } })).toBe(1);
    for (const t of tokens) await verifyJwt(t, { typ: "at+jwt", audience });
  });

  it("no algorithm but ours is accepted: none and HMAC with the public key are refused", async () => {
    const jwt = await sign();
    const { kid } = decodeProtectedHeader(jwt);
    const claims = part(decodeJwt(jwt));
    const none = `${part({ alg: "none", kid, typ: "at+jwt" })}.${claims}.`;
    const head = part({ alg: "HS256", kid, typ: "at+jwt" });
    const hmac = `${head}.${claims}.${createHmac("sha256", JSON.stringify((await publicKeySet()).keys[0])).update(`${head}.${claims}`).digest("base64url")}`;
    for (const forged of [none, hmac, `${jwt.slice(0, -4)}AAAA`, "x.y.z", ""]) {
      await expect(verifyJwt(forged, { typ: "at+jwt", audience })).rejects.toMatchObject({ code: "invalid_credentials" });
    }
  });

  it("a token for another purpose or audience is refused, and one past its end has expired", async () => {
    const jwt = await sign();
    await expect(verifyJwt(jwt, { typ: "sluice-identity+jwt", audience })).rejects.toMatchObject({ code: "invalid_credentials" });
    await expect(verifyJwt(jwt, { typ: "at+jwt", audience: "flowise" })).rejects.toMatchObject({ code: "invalid_credentials" });
    moveClock(66_000);
    await expect(verifyJwt(jwt, { typ: "at+jwt", audience })).rejects.toMatchObject({ code: "token_expired" });
  });
});
