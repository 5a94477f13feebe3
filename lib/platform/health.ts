import { request } from "undici";
import { pool } from "./db";
import { env } from "./env";
import { redis, redisReady } from "./redis";

export type Check = { status: "ok" | "failed"; ms: number };
export type Health = { status: "ok" | "failed"; checks: { database: Check; redis: Check; identity: Check } };

const deadlineMs = 1500;

/** Asks each part that a call may need, at once, for at most a second and a half. Says nothing of why one fails: that is in the log. */
export async function checkHealth(): Promise<Health> {
  const [database, store, identity] = await Promise.all([
    timed(() => pool().query("SELECT 1")),
    timed(async () => {
      await redisReady(deadlineMs);
      await redis().ping();
    }),
    timed(async () => {
      const answer = await request(`${env().KEYCLOAK_ISSUER}/.well-known/openid-configuration`, { headersTimeout: deadlineMs, bodyTimeout: deadlineMs });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`identity answers ${answer.statusCode}`);
    }),
  ]);
  const checks = { database, redis: store, identity };
  return { status: Object.values(checks).every((c) => c.status === "ok") ? "ok" : "failed", checks };
}

async function timed(check: () => Promise<unknown>): Promise<Check> {
  const from = performance.now();
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.race([check(), new Promise((_, fail) => { timer = setTimeout(() => fail(new Error("no answer in time")), deadlineMs); })]);
    return { status: "ok", ms: Math.round(performance.now() - from) };
  } catch {
    return { status: "failed", ms: Math.round(performance.now() - from) };
  } finally {
    clearTimeout(timer);
  }
}
