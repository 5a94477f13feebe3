import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { type AttemptName, claimAttempt, endFailedAttempt, forgetOldAttempts, keepAnswer, noteEffect } from "./attempts";
import { db, pool } from "./db";

const name = (given: Partial<AttemptName> = {}): AttemptName => ({ tenantId: "system", owner: randomUUID(), key: "k", fingerprint: "f".repeat(64), ...given });
const mine = async (given: AttemptName) => {
  const claimed = await claimAttempt(given);
  if (claimed.kind !== "mine") throw new Error("not mine");
  return claimed.attempt;
};
/** As if its process had not renewed it for a minute. */
const leaseOver = (attempt: string) => pool().query(`UPDATE "IdempotencyRecord" SET "leaseUntil" = now() - interval '1 second' WHERE attempt = $1`, [attempt]);
const answer = { status: 201, headers: { "content-type": "application/json" }, body: "{}" };

describe("named attempts", () => {
  it("fifty claims of one name at once begin it once; the others hear that it is running, and later the answer", async () => {
    const given = name();
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => claimAttempt(given)));
    const begun = results.filter((r) => r.status === "fulfilled");
    expect(begun).toHaveLength(1);
    for (const r of results) if (r.status === "rejected") expect(r.reason).toMatchObject({ code: "conflict", options: { retryAfterSeconds: 1 } });
    const claimed = begun[0]?.value;
    await keepAnswer(claimed?.kind === "mine" ? claimed.attempt : "", answer);
    expect(await claimAttempt(given)).toEqual({ kind: "answered", answer });
  });

  it("one name for two different calls is a conflict, and two owners with one name never meet", async () => {
    const given = name();
    await keepAnswer(await mine(given), answer);
    await expect(claimAttempt({ ...given, fingerprint: "e".repeat(64) })).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect((await claimAttempt({ ...given, owner: "somebody else" })).kind).toBe("mine");
    expect((await claimAttempt({ ...given, tenantId: randomUUID() })).kind).toBe("mine");
  });

  it("a failure without effect is forgotten, one with an effect is never done again", async () => {
    const given = name();
    const first = await mine(given);
    await endFailedAttempt(first);
    const second = await mine(given);
    await noteEffect(second);
    await endFailedAttempt(second);
    await expect(claimAttempt(given)).rejects.toMatchObject({ code: "idempotency_conflict" });
  });

  it("the dead are succeeded once their lease is over, and one that only slept can no longer commit", async () => {
    const person = await aPerson();
    const given = name({ tenantId: person.tenantId });
    const asleep = await mine(given);
    await expect(claimAttempt(given)).rejects.toMatchObject({ code: "conflict" });
    await leaseOver(asleep);
    await expect(claimAttempt({ ...given, fingerprint: "e".repeat(64) })).rejects.toMatchObject({ code: "idempotency_conflict" });
    const second = await mine(given);
    await expect(createKey({ ...contextOf(person), attempt: asleep }, CreateKeyInput.parse({ name: "late" }))).rejects.toMatchObject({ code: "conflict" });
    await keepAnswer(asleep, answer);
    await expect(claimAttempt(given)).rejects.toMatchObject({ code: "conflict" });
    await createKey({ ...contextOf(person), attempt: second }, CreateKeyInput.parse({ name: "in time" }));
    expect(await db().apiKey.findMany({ where: { userId: person.userId }, select: { name: true } })).toEqual([{ name: "in time" }]);
  });

  it.each([["before", "runs anew"], ["after", "is not done twice"]])("what a killed process left, %s its commit, %s", async (when) => {
    const person = await aPerson();
    const given = name({ tenantId: person.tenantId, owner: person.userId, key: randomUUID() });
    const child = spawn(process.execPath, ["--conditions=react-server", "--import", "tsx", "dev/testing/attempter.ts", person.userId, given.key, when], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    await expect(claimAttempt(given)).rejects.toMatchObject({ code: "conflict" });
    await pool().query(`UPDATE "IdempotencyRecord" SET "leaseUntil" = now() - interval '1 second' WHERE "tenantId" = $1`, [person.tenantId]);
    if (when === "before") await createKey({ ...contextOf(person), attempt: await mine(given) }, CreateKeyInput.parse({ name: "k" }));
    else await expect(claimAttempt(given)).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect(await db().apiKey.count({ where: { userId: person.userId } })).toBe(1);
  });

  it("after a day a name is free again, and its row goes", async () => {
    const given = name();
    const first = await mine(given);
    await keepAnswer(first, answer);
    const dayLater = () => pool().query(`UPDATE "IdempotencyRecord" SET "expiresAt" = now() - interval '1 second' WHERE attempt = $1`, [first]);
    await dayLater();
    expect((await claimAttempt({ ...given, fingerprint: "e".repeat(64) })).kind).toBe("mine");
    await pool().query(`UPDATE "IdempotencyRecord" SET "expiresAt" = now() - interval '1 second' WHERE "tenantId" = 'system'`);
    expect(await forgetOldAttempts()).toBeGreaterThan(0);
    expect(await db().idempotencyRecord.count({ where: { tenantId: "system" } })).toBe(0);
  });
});
