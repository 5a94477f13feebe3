import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { aPerson } from "@/dev/testing/people";
import { type Context, hasPermission } from "@/lib/access";
import { sealAudit } from "@/lib/audit";
import { syncChatflows } from "@/lib/chatflows";
import { releaseExpiredHolds } from "@/lib/credits";
import { keepGrantsAlive, warnOwners } from "@/lib/grants";
import { endQuietOverlaps } from "@/lib/keys";
import { sweepPeople, syncPeople } from "@/lib/people";
import { forgetOldAttempts } from "@/lib/platform/attempts";
import { advisoryLocks } from "@/lib/platform/advisory-locks";
import { db, pool } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { finishInvalidations } from "@/lib/platform/records";
import { cleanUpTokens, rotateSigningKeyWhenDue } from "@/lib/tokens";
import { foldUsage, keepRequestLog } from "@/lib/usage";
import { jobs, runJob } from "./table";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const everyOf = (name: string) => jobs.find(({ type }) => type.name === name)?.everyMs();

describe("the jobs", () => {
  afterEach(() => setEnv(undefined));

  it("are these, each with its verb, and no other", () => {
    expect(Object.fromEntries(jobs.map((row) => [row.type.name, "run" in row ? row.run : row.runAsActor]))).toEqual({
      "usage.fold": foldUsage, "keys.end-quiet-overlaps": endQuietOverlaps, "usage.request-log": keepRequestLog, "audit.seal": sealAudit, "outbox.finish": finishInvalidations,
      "credits.release": releaseExpiredHolds, "grants.try": expect.any(Function), "grants.keep-alive": keepGrantsAlive, "grants.warn": warnOwners, "attempts.forget": forgetOldAttempts,
      "tokens.rotate-signing-key": rotateSigningKeyWhenDue, "tokens.clean-up": cleanUpTokens, "people.disabled": expect.any(Function), "people.sweep": sweepPeople, "people.sync": syncPeople, "chatflows.sync": syncChatflows,
    });
    expect(new Set(jobs.map(({ type }) => type.name)).size, "none is there twice").toBe(jobs.length);
  });

  it("come as often as the contract's promises need, all on an installation that sets nothing", () => {
    expect(Object.fromEntries(jobs.map(({ type, everyMs }) => [type.name, everyMs()]))).toEqual({
      "usage.fold": second, "audit.seal": second, "keys.end-quiet-overlaps": second, "outbox.finish": 2 * second, "people.sweep": 25 * second, "credits.release": 30 * second, "grants.keep-alive": minute,
      "grants.warn": 10 * minute, "attempts.forget": 10 * minute, "tokens.clean-up": 10 * minute, "usage.request-log": hour, "tokens.rotate-signing-key": hour, "people.sync": hour, "chatflows.sync": hour,
      "grants.try": null, "people.disabled": null,
    });
  });

  it.each([["people.sync", advisoryLocks.peopleSync, true], ["chatflows.sync", advisoryLocks.chatflowSync, false]] as const)("%s has not failed when another worker is at it", async (name, lock, isOfRealm) => {
    const client = await pool().connect();
    try {
      await client.query(isOfRealm ? "SELECT pg_advisory_lock($1::int, hashtext($2))" : "SELECT pg_advisory_lock($1)", isOfRealm ? [lock, env().KEYCLOAK_ISSUER] : [lock]);
      expect(await runJob({ name, data: {} })).toBeNull();
    } finally {
      await client.query("SELECT pg_advisory_unlock_all()");
      client.release();
    }
  });

  it("that read another system follow the operator's settings, and stay away where nothing can be read", () => {
    setEnv({ ...env(), PEOPLE_SWEEP_SECONDS: 7, USER_SYNC_INTERVAL_HOURS: 0.5, CHATFLOW_SYNC_INTERVAL_HOURS: 0.25 });
    expect(["people.sweep", "people.sync", "chatflows.sync"].map(everyOf)).toEqual([7 * second, hour / 2, hour / 4]);
    setEnv({ ...env(), PEOPLE_SWEEP_SECONDS: 0, ENABLE_USER_SYNC: false, ENABLE_CHATFLOW_SYNC: false });
    expect(["people.sweep", "people.sync", "chatflows.sync"].map(everyOf)).toEqual([null, null, null]);
    setEnv(undefined);
    setEnv({ ...env(), KEYCLOAK_SYNC_CLIENT_ID: undefined, FLOWISE_API_KEY: undefined });
    expect(["people.sweep", "people.sync", "chatflows.sync"].map(everyOf)).toEqual([null, null, null]);
  });

  it("run as their own actor, with the payload that they were asked for with; what is not theirs is thrown back", async () => {
    const seen: unknown[] = [];
    const type = { name: "test.job", payload: z.strictObject({ n: z.int() }) };
    const everyMs = () => null;
    for (const row of [{ type, everyMs, runAsActor: async (ctx: Context) => seen.push([ctx.actor, ctx.tenantId, hasPermission(ctx, "admin:users")]) }, { type, everyMs, run: async (payload: unknown) => seen.push(payload) }]) {
      jobs.push(row);
      try {
        await runJob({ name: "test.job", data: { n: 7 } });
        await expect(runJob({ name: "test.job", data: { n: "7" } })).rejects.toThrow(z.ZodError);
      } finally {
        jobs.pop();
      }
    }
    expect(seen).toEqual([[{ type: "job", name: "test.job" }, "system", true], { n: 7 }]);
    await expect(runJob({ name: "test.job", data: {} })).rejects.toThrow("no verb for the job test.job");
  });

  it("a grant that was asked about is tried: what cannot be opened is lost from then on", async () => {
    const person = await aPerson();
    const ask = () => runJob({ name: "grants.try", data: { userId: person.userId } });
    expect(await ask()).toBeUndefined();
    await db().ownerGrant.create({ data: { userId: person.userId, tenantId: person.tenantId, issuer: person.issuer, sub: person.sub, clientId: "sluice-machine", salt: "c2FsdA", sealed: "s1.v1.not.ours", status: "active", givenAt: new Date() } });
    await ask();
    expect((await db().ownerGrant.delete({ where: { userId: person.userId } })).status).toBe("needs_reauth");
    await expect(runJob({ name: "grants.try", data: { userId: randomUUID(), more: 1 } })).rejects.toThrow(z.ZodError);
  });
});
