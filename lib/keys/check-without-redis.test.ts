import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startRedis } from "@/dev/lib/redis";
import { aPerson, contextOf } from "@/dev/testing/people";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { db, pool } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { closeRedis, redis } from "@/lib/platform/redis";
import { checkCall, createKey, revokeKey } from ".";
import { CreateKeyInput } from "./schemas";
import { newSecret } from "./secret";

const check = (secret: string) => checkCall({ kind: "secret", secret }, { ip: null, permission: "ai:predict" });
const codeOf = (verdict: Awaited<ReturnType<typeof check>>) => (verdict.ok ? "ok" : verdict.error.code);
const newKey = async (input: object = {}) => {
  const ctx = contextOf(await aPerson());
  return { ctx, ...(await createKey(ctx, CreateKeyInput.parse({ name: "k", ...input }))) };
};

describe("the key check when Redis fails", () => {
  const folder = mkdtempSync(join("/var/tmp", "sluice-redis-"));
  let server: Awaited<ReturnType<typeof startRedis>>;

  beforeAll(async () => {
    // A Redis of its own: this one is stopped and started.
    server = await startRedis(folder, { throwaway: true });
    setEnv({ ...env(), REDIS_URL: server.url });
    await closeRedis();
  });
  afterEach(() => { vi.restoreAllMocks(); resetClock(); });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("a key is checked from PostgreSQL, limits hold at a tenth, and the answer says so; back again, all is as before", async () => {
    const good = await newKey({ rateLimit: { requests: 30, window: 60 } });
    const bad = await newKey();
    expect(codeOf(await check(good.secret))).toBe("ok");
    expect(codeOf(await check(bad.secret))).toBe("ok");
    await server.stop();

    const verdict = await check(good.secret);
    expect(verdict).toMatchObject({ ok: true, degraded: true, headers: { "X-Sluice-Degraded": "limits" }, person: { userId: good.key.userId } });
    expect([await check(good.secret), await check(good.secret), await check(good.secret)].map(codeOf)).toEqual(["ok", "ok", "rate_limited"]);
    moveClock(60_000);
    expect(codeOf(await check(good.secret))).toBe("ok");
    expect(codeOf(await check(newSecret().value))).toBe("invalid_credentials");
    await expect(revokeKey(bad.ctx, bad.key.id)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await check(bad.secret)).toMatchObject({ ok: false, error: { code: "key_revoked" }, headers: { "X-Sluice-Degraded": "limits" } });

    server = await startRedis(folder, { throwaway: true, port: Number(new URL(server.url).port) });
    await vi.waitFor(() => { expect(redis().status).toBe("ready"); }, 5000);
    expect(await check(good.secret)).toMatchObject({ ok: true, degraded: false });
    expect(codeOf(await check(bad.secret)), "no copy of before survives").toBe("key_revoked");
  });

  it("meanwhile the headers tell of what this process admits: the tightest of its shares, the one that refused, and without a key the person's", async () => {
    const usual = env();
    setEnv({ ...usual, USER_RATE_LIMIT: { requests: 40, window: 60 }, TENANT_RATE_LIMIT: { requests: 30, window: 60 } });
    const { key, secret } = await newKey({ rateLimit: { requests: 20, window: 3600 }, allowedIps: ["10.0.0.0/8"] });
    await server.stop();
    const from = (ip: string) => checkCall({ kind: "secret", secret }, { ip, permission: "ai:predict" });
    const policyOf = ({ headers }: Awaited<ReturnType<typeof check>>) => [headers["RateLimit-Policy"], headers.RateLimit?.split(";t=")[0], headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]];
    const first = await from("10.0.0.1");
    expect(first.headers["X-Sluice-Degraded"]).toBe("limits");
    expect(policyOf(first)).toEqual(['"key";q=2;w=3600', '"key";r=1', "2", "1"]);
    expect(first.headers.RateLimit).toBe('"key";r=1;t=3600');
    expect(Math.abs(Number(first.headers["X-RateLimit-Reset"]) - Date.now() / 1000 - 3600)).toBeLessThan(3);
    const outside = await from("192.0.2.1");
    expect([outside.ok || outside.error.code, outside.headers["X-RateLimit-Remaining"]], "what is refused before takes nothing").toEqual(["ip_not_allowed", "1"]);
    await from("10.0.0.1");
    const refused = await from("10.0.0.1");
    expect(refused).toMatchObject({ ok: false, error: { code: "rate_limited", options: { headers: refused.headers } } });
    expect(policyOf(refused)).toEqual(['"key";q=2;w=3600', '"key";r=0', "2", "0"]);
    expect(policyOf(await checkCall({ kind: "user", userId: key.userId }, { ip: null }))).toEqual(['"user";q=4;w=60', '"user";r=1', "4", "1"]);
    expect(policyOf(await checkCall({ kind: "user", userId: key.userId }, { ip: null }))).toEqual(['"tenant";q=3;w=60', '"tenant";r=0', "3", "0"]);
    expect((await check(newSecret().value)).headers, "of a stranger there is nothing to tell").toEqual({ "X-Sluice-Degraded": "limits" });
    setEnv(usual);
    server = await startRedis(folder, { throwaway: true, port: Number(new URL(server.url).port) });
    await vi.waitFor(() => { expect(redis().status).toBe("ready"); }, 5000);
  });

  it("with both stores away nothing is admitted", async () => {
    const { secret } = await newKey();
    await server.stop();
    vi.spyOn(pool(), "query").mockImplementation(() => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })));
    expect(await check(secret)).toMatchObject({ ok: false, error: { code: "store_unavailable", options: { retryAfterSeconds: 2 } } });
    vi.restoreAllMocks();
    server = await startRedis(folder, { throwaway: true, port: Number(new URL(server.url).port) });
    await vi.waitFor(() => { expect(redis().status).toBe("ready"); }, 5000);
  });

  it("a warm key needs no PostgreSQL, a cold one is 503 without it", async () => {
    const [warm, cold] = [await newKey(), await newKey()];
    expect(codeOf(await check(warm.secret))).toBe("ok");
    vi.spyOn(pool(), "query").mockImplementation(() => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })));
    expect(codeOf(await check(warm.secret))).toBe("ok");
    expect(codeOf(await check(cold.secret))).toBe("store_unavailable");
  });

  it("the script is loaded again after SCRIPT FLUSH", async () => {
    const { secret } = await newKey();
    await check(secret);
    await redis().script("FLUSH");
    expect(await check(secret)).toMatchObject({ ok: true, degraded: false });
  });

  it("a Redis that lost its data knows no old verdict and no old limit, and the check goes on", async () => {
    const { secret, key } = await newKey();
    await check(secret);
    await db().apiKey.update({ where: { id: key.id }, data: { revokedAt: new Date(), version: { increment: 1 } } });
    await server.stop();
    server = await startRedis(folder, { throwaway: true, port: Number(new URL(server.url).port) });
    await vi.waitFor(() => { expect(redis().status).toBe("ready"); }, 5000);
    expect(codeOf(await check(secret))).toBe("key_revoked");
  });
});
