import { connect } from "node:net";
import { request } from "undici";
import { z } from "zod";
import { pool } from "./db";
import { env } from "./env";
import { redis, redisReady } from "./redis";
import { sharedLook } from "./shared-look";

export type Check = { status: "ok" | "failed"; ms: number };
/** `pages` is there where a page process runs beside the API. */
export type Health = { status: "ok" | "failed"; checks: { database: Check; redis: Check; identity: Check; pages?: Check } };

const deadlineMs = 1500;

/** A realm that calls itself otherwise signs tokens that we refuse. */
const Discovery = z.object({ issuer: z.string() });

/**
 * Asks each part that a call may need, at once, for at most a second and a half. Says nothing of why one fails: that is in the log.
 * Probes are open to everybody, and each look takes a connection to PostgreSQL and a call to Keycloak: they share it.
 *
 * The identity provider and the page process are reported and do not count. Every replica shares one Keycloak, so a balancer would drop
 * them all with it, while keys are still checked and cached tokens still serve calls. The page process restarts within seconds.
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
      const { issuer } = Discovery.parse(await answer.body.json());
      if (answer.statusCode !== 200 || issuer !== env().KEYCLOAK_ISSUER) throw new Error(`identity answers ${answer.statusCode} as ${issuer}`);
    }),
    role === "door" && pagesPort ? timed(() => opens(pagesPort)) : undefined,
  ]);
  const isReady = database.status === "ok" && store.status === "ok";
  return { status: isReady ? "ok" : "failed", checks: { database, redis: store, identity, ...(pages && { pages }) } };
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
