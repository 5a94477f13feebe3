import { connect } from "node:net";
import { request } from "undici";
import { pool } from "./db";
import { env } from "./env";
import { redis, redisReady } from "./redis";
import { sharedLook } from "./shared-look";

export type Check = { status: "ok" | "failed"; ms: number };
/** `pages` is there where a page process runs beside the API. */
export type Health = { status: "ok" | "failed"; checks: { database: Check; redis: Check; identity: Check; pages?: Check } };

const deadlineMs = 1500;

/**
 * Asks each part that a call may need, at once, for at most a second and a half. Says nothing of why one fails: that is in the log.
 * Probes are open to everybody, and each look takes a connection to PostgreSQL and a call to Keycloak: they share it.
 *
 * The page process is told of and does not count: it is started again by itself, and taking the API out of a load
 * balancer meanwhile would make one crash two.
 */
export const checkHealth = sharedLook("health", async (): Promise<Health> => {
  const { SLUICE_ROLE: role, SLUICE_PAGES_PORT: pagesPort } = env();
  const [database, store, identity, pages] = await Promise.all([
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
    role === "door" && pagesPort ? timed(() => opens(pagesPort)) : undefined,
  ]);
  const needed = { database, redis: store, identity };
  return { status: Object.values(needed).every((c) => c.status === "ok") ? "ok" : "failed", checks: { ...needed, ...(pages && { pages }) } };
});

function opens(port: number): Promise<void> {
  return new Promise((done, fail) => {
    const probe = connect(port, "127.0.0.1", () => {
      probe.destroy();
      done();
    }).once("error", fail);
  });
}

/** Runs a check for at most a second and a half. */
export async function timed(check: () => Promise<unknown>): Promise<Check> {
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
