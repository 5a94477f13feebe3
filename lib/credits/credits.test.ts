import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { claimAttempt, keepAnswer } from "@/lib/platform/attempts";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { db, pool } from "@/lib/platform/db";
import { adjustCredits, checkLedger, getBalance, holdCredits, releaseExpiredHolds, releaseHold, settleHold } from ".";
import { forgetAnswered, noteAnswered } from "./call-register";
import { holdSeconds, renewHolds } from "./keep-alive";
import { AdjustCreditsInput } from "./schemas";
import { settleAnswered } from "./settle-hold";

const tenants = new Set<string>();
afterEach(async () => {
  for (const tenant of tenants) expect(await checkLedger(tenant)).toEqual([]);
});

async function someone(credits?: number) {
  const person = await aPerson();
  tenants.add(person.tenantId);
  const ctx = contextOf(person);
  if (credits !== undefined) {
    const admin = contextOf(await aPerson({ role: "admin" }));
    await getBalance(ctx);
    await adjustCredits(admin, person.userId, { amount: credits - 1000, reason: "test" });
  }
  return { person, ctx };
}

const call = (amount = 1) => ({ amount, chatflowId: randomUUID() });

describe("credits", () => {
  it("a new person starts with the plan's thousand, booked once however many calls come first", async () => {
    const { ctx, person } = await someone();
    await Promise.all(Array.from({ length: 10 }, () => getBalance(ctx)));
    expect(await getBalance(ctx)).toEqual({ available: 1000, held: 0 });
    expect(await db().ledgerEntry.count({ where: { accountId: person.userId } })).toBe(1);
  });

  it("a hundred calls at once on ten credits: ten hold one, ninety are refused, and none is spent twice", async () => {
    const { ctx } = await someone(10);
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => holdCredits(ctx, call())));
    const held = results.flatMap((r) => (r.status === "fulfilled" ? [r.value] : []));
    expect(held).toHaveLength(10);
    expect(results.filter((r) => r.status === "rejected").every((r) => (r as PromiseRejectedResult).reason.code === "out_of_credits")).toBe(true);
    expect(await getBalance(ctx)).toEqual({ available: 0, held: 10 });
    await Promise.all(held.map((hold, i) => (i % 2 ? settleHold(hold) : releaseHold(hold))));
    expect(await getBalance(ctx)).toEqual({ available: 5, held: 0 });
  });

  it("a hold ends once: settled and released at the same time, one of them counts", async () => {
    const { ctx } = await someone(10);
    const hold = await holdCredits(ctx, call(4));
    await Promise.all([settleHold(hold), releaseHold(hold), settleHold(hold), releaseHold(hold)]);
    const { available, held } = await getBalance(ctx);
    expect([6, 10]).toContain(available);
    expect(held).toBe(0);
    // Settled too late means answered for nothing, and that is said.
    expect(await checkLedger(ctx.tenantId)).toHaveLength(available === 10 ? 1 : 0);
    tenants.delete(ctx.tenantId);
  });

  it("what a dead process held is given back, what a living one holds is not", async () => {
    const { ctx } = await someone(10);
    const dead = await holdCredits(ctx, call(3));
    await holdCredits(ctx, call(2));
    await pool().query(`UPDATE "CreditHold" SET "expiresAt" = now() - interval '1 second' WHERE id = $1`, [dead.id]);
    await releaseExpiredHolds();
    expect(await getBalance(ctx)).toEqual({ available: 8, held: 2 });
    expect(await checkLedger(ctx.tenantId)).toEqual([]);
    await settleHold(dead);
    expect(await getBalance(ctx)).toEqual({ available: 8, held: 2 });
    expect(await checkLedger(ctx.tenantId)).toEqual([`hold ${dead.id}: request ${ctx.requestId} was answered, but its 3 held were released`]);
    tenants.delete(ctx.tenantId);
  });

  it("holds that cannot be renewed while PostgreSQL is away are not lost as long as their process says that it lives", async () => {
    const { ctx } = await someone(10);
    await holdCredits(ctx, call(3));
    const away = vi.spyOn(pool(), "query").mockRejectedValue(new Error("Connection terminated unexpectedly") as never);
    await renewHolds();
    away.mockRestore();
    await pool().query(`UPDATE "CreditHold" SET "expiresAt" = now() - interval '1 second' WHERE "tenantId" = $1`, [ctx.tenantId]);
    await releaseExpiredHolds();
    expect(await getBalance(ctx)).toEqual({ available: 7, held: 3 });
    moveClock(holdSeconds * 1000 + 1000);
    await releaseExpiredHolds();
    resetClock();
    expect(await getBalance(ctx)).toEqual({ available: 10, held: 0 });
  });

  it("an answered call is settled by the job before its hold has expired, also beside a note that cannot be read", async () => {
    const { ctx } = await someone(10);
    const hold = await holdCredits(ctx, call(3));
    for (const holdId of ["no-hold", hold.id]) await noteAnswered({ holdId });
    await releaseExpiredHolds();
    await forgetAnswered("no-hold");
    expect(await getBalance(ctx)).toEqual({ available: 7, held: 0 });
  });

  it("a named call that is settled late counts as that name's effect, and one whose name was taken over meanwhile is not paid twice", async () => {
    const { ctx, person } = await someone(10);
    const name = (key: string) => ({ tenantId: ctx.tenantId, owner: person.userId, key, fingerprint: "f".repeat(64) });
    const named = async (key: string) => {
      const claimed = await claimAttempt(name(key));
      if (claimed.kind !== "mine") throw new Error("not mine");
      return { hold: await holdCredits({ ...ctx, attempt: claimed.attempt }, call(2)), attempt: claimed.attempt };
    };
    const [first, second] = [await named("first"), await named("second")];
    await keepAnswer(first.attempt, { status: 200, headers: {}, body: "{}" });
    await pool().query(`UPDATE "IdempotencyRecord" SET "leaseUntil" = now() - interval '1 second' WHERE attempt = $1`, [second.attempt]);
    const again = await named("second");
    await settleHold(again.hold);
    for (const { hold, attempt } of [first, second]) await settleAnswered({ holdId: hold.id, attempt });
    expect(await getBalance(ctx)).toEqual({ available: 6, held: 0 });
    expect((await db().idempotencyRecord.findMany({ where: { attempt: { in: [first.attempt, again.attempt] } } })).every((row) => row.effectAt !== null)).toBe(true);
  });

  it("an admin grants and takes back, never below zero, and each is in the audit log", async () => {
    const { ctx, person } = await someone();
    const admin = contextOf(await aPerson({ role: "admin" }));
    expect(await adjustCredits(admin, person.userId, { amount: 50, reason: "thanks" })).toMatchObject({ available: 1050 });
    await expect(adjustCredits(admin, person.userId, { amount: -1051, reason: "too much" })).rejects.toMatchObject({ code: "conflict" });
    expect((await adjustCredits(admin, person.userId, { amount: -1050, reason: "all" })).available).toBe(0);
    expect(await db().auditEvent.count({ where: { chain: person.tenantId, action: { startsWith: "credits." } } })).toBe(2);
    await expect(holdCredits(ctx, call())).rejects.toMatchObject({ code: "out_of_credits" });
  });

  it("an account cannot hold more than can be counted, what is held included", async () => {
    const { ctx, person } = await someone();
    const admin = contextOf(await aPerson({ role: "admin" }));
    const grant = () => adjustCredits(admin, person.userId, { amount: 1_000_000_000, reason: "much" });
    await grant();
    const hold = await holdCredits(ctx, call(1_000_000_000));
    await expect(grant()).rejects.toMatchObject({ code: "conflict" });
    await releaseHold(hold);
    expect(await getBalance(ctx)).toEqual({ available: 1_000_001_000, held: 0 });
  });

  it("amounts are whole and bounded, reasons are text that the audit log can hold", () => {
    for (const bad of [{ amount: 0 }, { amount: 1.5 }, { amount: 1_000_000_001 }, { amount: "5" }, { reason: " " }, { reason: "x".repeat(501) }, { reason: "\ud800" }, { reason: "\u0000" }, { extra: 1 }]) {
      expect(AdjustCreditsInput.safeParse({ amount: 5, reason: "thanks", ...bad }).success, JSON.stringify(bad)).toBe(false);
    }
  });

  it("somebody who is no admin grants nothing, and an unknown person is 404", async () => {
    const { ctx, person } = await someone();
    await expect(adjustCredits(ctx, person.userId, { amount: 5, reason: "me" })).rejects.toMatchObject({ code: "insufficient_permission" });
    const admin = contextOf(await aPerson({ role: "admin" }));
    await expect(adjustCredits(admin, randomUUID(), { amount: 5, reason: "who" })).rejects.toMatchObject({ code: "not_found" });
  });

  it("a process killed at random points leaves balances that agree with the ledger", async () => {
    const { person, ctx } = await someone();
    await getBalance(ctx);
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, ["--conditions=react-server", "--import", "tsx", "lib/credits/spender.fixture.ts", person.userId, person.tenantId], { env: process.env, stdio: ["ignore", "pipe", "inherit"] });
      await new Promise((done) => child.stdout.once("data", done));
      await new Promise((done) => setTimeout(done, Math.random() * 60));
      child.kill("SIGKILL");
      await new Promise((done) => child.once("exit", done));
      expect(await checkLedger(person.tenantId)).toEqual([]);
    }
    await pool().query(`UPDATE "CreditHold" SET "expiresAt" = now() - interval '1 second' WHERE "tenantId" = $1 AND state = 'held'`, [person.tenantId]);
    await releaseExpiredHolds();
    expect((await getBalance(ctx)).held).toBe(0);
    // Each round starts a process, which takes its time on a busy machine.
  }, 120_000);
});
