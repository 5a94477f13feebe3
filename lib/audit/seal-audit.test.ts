import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { db, transaction } from "@/lib/platform/db";
import { auditHash, recordAudit, sealAudit } from ".";
import { sealedView } from "./seal-audit";
import { firstPrevHash } from "./chain";

async function chainOf(tenantId: string) {
  return db().auditEvent.findMany({ where: { chain: tenantId, seq: { not: null } }, orderBy: { seq: "asc" } });
}

async function verified(tenantId: string): Promise<boolean> {
  let prev = firstPrevHash;
  let seq = 0n;
  for (const event of await chainOf(tenantId)) {
    seq += 1n;
    if (event.seq !== seq || event.prevHash !== prev || event.hash !== auditHash(prev, sealedView(event, seq))) return false;
    prev = event.hash;
  }
  return true;
}

async function sealAll(tenantId: string): Promise<void> {
  await expect.poll(async () => {
    await sealAudit();
    return db().auditEvent.count({ where: { chain: tenantId, seq: null } });
  }).toBe(0);
}

describe("the audit chain", () => {
  it("events written at once by many are numbered without a gap, and each holds the hash of the one before", async () => {
    const ctx = contextOf(await aPerson());
    await Promise.all(Array.from({ length: 30 }, (_, i) => transaction((tx) => recordAudit(tx, ctx, { action: "key.created", target: { type: "apiKey", id: randomUUID() }, data: { i, ü: "€ \u2028", nested: { b: 1, a: [1.5, null] } } }))));
    await Promise.all(Array.from({ length: 5 }, () => sealAudit()));
    await sealAll(ctx.tenantId);
    expect((await chainOf(ctx.tenantId)).length).toBe(30);
    expect(await verified(ctx.tenantId)).toBe(true);
  });

  it("a changed row and a missing one show", async () => {
    const ctx = contextOf(await aPerson());
    for (let i = 0; i < 5; i++) await transaction((tx) => recordAudit(tx, ctx, { action: "key.created" }));
    await sealAll(ctx.tenantId);
    const [, second, third] = await chainOf(ctx.tenantId);
    await db().auditEvent.update({ where: { id: second!.id }, data: { data: { forged: true } } });
    expect(await verified(ctx.tenantId)).toBe(false);
    await db().auditEvent.update({ where: { id: second!.id }, data: { data: {} } });
    expect(await verified(ctx.tenantId)).toBe(true);
    await db().auditEvent.delete({ where: { id: third!.id } });
    expect(await verified(ctx.tenantId)).toBe(false);
  });

  it("a change that is undone leaves no event", async () => {
    const ctx = contextOf(await aPerson());
    await expect(transaction(async (tx) => {
      await recordAudit(tx, ctx, { action: "key.created" });
      throw new Error("undone");
    })).rejects.toThrow("undone");
    expect(await db().auditEvent.count({ where: { chain: ctx.tenantId } })).toBe(0);
  });
});
