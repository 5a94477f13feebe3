import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { openLink } from "@/dev/testing/link";
import { aPerson } from "@/dev/testing/people";
import { db, endSilent, isDatabaseDown, transaction, type Tx } from "./db";
import { env } from "./env";

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

describe("a pool whose database vanished without a word", () => {
  const silentMs = 300;

  it("is free for whoever has taken over, and what hung there fails as a database that is away", async () => {
    const address = new URL(env().DATABASE_URL);
    const link = await openLink(Number(address.port));
    address.host = `127.0.0.1:${link.port}`;
    const two = new pg.Pool({ connectionString: address.href, max: 2 });
    two.on("error", () => undefined);
    endSilent(two, silentMs);
    await Promise.all([two.query("SELECT 1"), two.query("SELECT 1")]);
    link.abandon();
    const hung = await Promise.allSettled([two.query("SELECT 1"), two.query("SELECT 1")]);
    expect(hung.map((one) => one.status === "rejected" && isDatabaseDown(one.reason))).toEqual([true, true]);
    expect((await two.query("SELECT 2 AS two")).rows).toEqual([{ two: 2 }]);
    await two.end();
    await link.close();
  });

  it("keeps connections of which nothing is asked", async () => {
    const one = new pg.Pool({ connectionString: env().DATABASE_URL, max: 1 });
    endSilent(one, silentMs);
    const client = await one.connect();
    const { rows: before } = await client.query("SELECT pg_backend_pid() AS pid");
    await new Promise((quiet) => (client.connection.stream as Socket).once("timeout", quiet));
    expect((await client.query("SELECT pg_backend_pid() AS pid")).rows).toEqual(before);
    client.release();
    await one.end();
  });
});

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
