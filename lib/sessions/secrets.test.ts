import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { tokenPartsIn } from "@/dev/leaks";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { unseal } from "@/lib/platform/crypto";
import { env, setEnv } from "@/lib/platform/env";
import { withRedis } from "@/lib/platform/redis";
import { sessionCookieName } from "./cookie";
import { deviceWords, openDevice } from "./device";
import { purposeCookie } from "./purpose";
import { aSignIn, type SignedIn } from "./sign-in.fixture";
import { findMeta } from "./store";
import { findSession, getSessionToken } from ".";

let realm: Realm;
beforeAll(async () => {
  realm = await aRealm();
});
afterEach(() => setEnv(undefined));
afterAll(() => realm.close());

const caller = { requestId: "r", ip: "203.0.113.77", userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };
const signIn = async (options: { expired?: boolean } = {}): Promise<SignedIn> => {
  const tokens = await realm.tokensFor("uma");
  return aSignIn(options.expired ? realm.expired(tokens) : tokens, caller);
};
const kidIn = async ({ handle }: SignedIn) => (await findMeta(handle.sessionId))?.kid;
const blobOf = ({ handle }: SignedIn, part = "t") => withRedis((client) => client.get(`sl:s:{${handle.sessionId}}:${part}`));
const aKey = (kid: string) => ({ kid, key: randomBytes(32) });

describe("what the store holds of a session", () => {
  it("tells neither token, handle, share nor address", async () => {
    const session = await signIn();
    await getSessionToken(session.handle, "nflow");
    const dump = await dumpOf(session);
    expect(dump).toContain(session.handle.sessionId);
    expect(tokenPartsIn(dump)).toEqual([]);
    for (const secret of [session.envelope.h, session.envelope.k, caller.ip, "Firefox"]) expect(dump).not.toContain(secret);
  });

  it("does not open with all the server's keys, by no salt that the store knows; the cookie's share alone opens it", async () => {
    const session = await signIn();
    await getSessionToken(session.handle, "nflow");
    const { sessionId, share } = session.handle;
    const meta = await findMeta(sessionId);
    const ring = [...env().SESSION_KEKS, ...env().VAULT_KEKS, { kid: env().SESSION_KEKS[0]?.kid ?? "", key: Buffer.from(env().AUTH_SECRET).subarray(0, 32) }];
    for (const part of ["t", "t:nflow"]) {
      const blob = (await blobOf(session, part)) ?? "";
      const open = (salt: string) => unseal(ring, blob, { salt, info: `sluice/session/1|${sessionId}`, aad: `1|${sessionId}|${part}|1|${meta?.sub}` });
      for (const salt of ["", sessionId, meta?.share_h ?? "", meta?.device ?? "", "A".repeat(43), ...Object.values(meta ?? {}).map(String)]) expect(() => open(salt), part).toThrow("does not open");
      expect(tokenPartsIn(open(share))).not.toEqual([]);
    }
  });

  it("tells the server, and only with its ring, which device it was", async () => {
    const { handle, meta } = await signIn();
    expect(deviceWords(openDevice(handle.sessionId, meta).userAgent)).toBe("Firefox 140 on Linux");
    expect(openDevice("A".repeat(43), meta)).toEqual({ ip: null, userAgent: null });
    setEnv({ ...env(), SESSION_KEKS: [aKey("zz")] });
    expect(openDevice(handle.sessionId, meta)).toEqual({ ip: null, userAgent: null });
  });
});

describe("the key ring", () => {
  it("takes a new first key without a sign-out; the next refresh seals with it; without the old key whoever has not come back signs in again", async () => {
    const [active, away] = [await signIn({ expired: true }), await signIn()];
    const [old] = env().SESSION_KEKS;
    if (!old) throw new Error("no ring");
    const fresh = aKey("fresh");
    setEnv({ ...env(), SESSION_KEKS: [fresh, old] });
    expect(await findSession(active.cookie)).not.toBeNull();
    expect(await kidIn(active)).toBe(old.kid);
    expect(await getSessionToken(active.handle, "nflow")).toMatchObject({ generation: 2 });
    expect(await getSessionToken(away.handle, "nflow")).toMatchObject({ generation: 1 });
    expect([await kidIn(active), await kidIn(away)]).toEqual(["fresh", old.kid]);
    expect((await blobOf(active))?.split(".")[1]).toBe("fresh");

    setEnv({ ...env(), SESSION_KEKS: [fresh] });
    expect(await findSession(active.cookie)).not.toBeNull();
    expect(await getSessionToken(active.handle, "flowise")).toMatchObject({ generation: 2 });
    await expect(findSession(away.cookie)).rejects.toMatchObject({ code: "session_expired" });
    await expect(getSessionToken(away.handle, "nflow")).rejects.toMatchObject({ code: "session_expired" });
    // A replica that does not know the key must not end what the others can open.
    expect((await findMeta(away.handle.sessionId))?.state).toBe("active");
  });
});

describe("the cookie", () => {
  it("is bound to this host and to https wherever the portal is not on loopback", async () => {
    expect(sessionCookieName()).toBe("sluice.session");
    setEnv({ ...env(), AUTH_URL: "https://portal.test" });
    expect(sessionCookieName()).toBe("__Host-sluice.session");
    expect(await purposeCookie(null)).toMatchObject({ name: "__Host-sluice.purpose", secure: true, httpOnly: true, path: "/", sameSite: "lax" });
  });
});

async function dumpOf({ handle, meta }: SignedIn): Promise<string> {
  return withRedis(async (client) => {
    const keys = (await client.keys("sl:*")).filter((key) => key.includes(handle.sessionId) || key.includes(meta.kc_sid) || key.startsWith("sl:ix:sub"));
    const values = await Promise.all(keys.map(async (key) => {
      const type = await client.type(key);
      return type === "hash" ? JSON.stringify(await client.hgetall(key)) : type === "set" ? (await client.smembers(key)).join() : type === "zset" ? (await client.zrange(key, "0", "-1")).join() : client.get(key);
    }));
    return [...keys, ...values].join("\n");
  });
}
