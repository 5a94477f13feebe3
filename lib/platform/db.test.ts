import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { aPerson } from "@/dev/testing/people";
import { db, transaction, type Tx } from "./db";

/** Resolves for all once so many have come; whoever comes later goes through. */
function meeting(count: number): () => Promise<void> {
  let come = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => { open = resolve; });
  return () => {
    come += 1;
    if (come >= count) open();
    return opened;
  };
}

describe("a transaction", () => {
  const locks: Record<string, (tx: Tx, userId: string, name: string) => Promise<unknown>> = {
    "with a raw statement": (tx, userId, name) => tx.$executeRaw`UPDATE "User" SET name = ${name} WHERE id = ${userId}::uuid`,
    "with Prisma's own": (tx, userId, name) => tx.user.update({ where: { id: userId }, data: { name } }),
  };
  it.each(Object.keys(locks))("that waits for one that waits for it is made all the same, each once: %s", async (kind) => {
    const update = locks[kind] as (typeof locks)[string];
    const [one, other] = [await aPerson(), await aPerson()];
    const meet = meeting(2);
    let begun = 0;
    const change = (name: string, userIds: string[]) => transaction(async (tx) => {
      begun += 1;
      for (const userId of userIds) {
        await update(tx, userId, name);
        await meet();
      }
      await tx.plan.create({ data: { id: randomUUID(), name } });
    });
    const names = [randomUUID(), randomUUID()] as const;
    await Promise.all([change(names[0], [one.userId, other.userId]), change(names[1], [other.userId, one.userId])]);
    const after = await db().user.findMany({ where: { id: { in: [one.userId, other.userId] } }, select: { name: true } });
    expect(begun).toBe(3);
    expect(new Set(after.map((row) => row.name)).size).toBe(1);
    expect(await db().plan.count({ where: { name: { in: [...names] } } })).toBe(2);
  });

  it("that fails for a reason of its own is not run again", async () => {
    let begun = 0;
    await expect(transaction(async () => {
      begun += 1;
      throw new Error("no");
    })).rejects.toThrow("no");
    expect(begun).toBe(1);
  });
});
