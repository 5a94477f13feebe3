import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { openLink } from "@/dev/testing/link";
import { aPerson } from "@/dev/testing/people";
import { db, endSilent, isDatabaseDown, pool, transaction, type Tx } from "./db";
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

describe("a connection that PostgreSQL ends in the middle of a call", () => {
  const end = (pid: number) => pool().query("SELECT pg_terminate_backend($1)", [pid]);
  const pidOf = async (tx: Tx) => (await tx.$queryRaw<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`)[0].pid;
  /** Ends the connection that waits for another, once there is one. @param which a condition on `pg_stat_activity` */
  async function endWaiting(which: string, value: string | number): Promise<void> {
    for (;;) {
      const { rowCount } = await pool().query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active' AND ${which}`, [value]);
      if (rowCount) return;
    }
  }
  /** Holds a person's row while `ask` wants to change it, and ends the connection that waits for it. @returns what `ask` failed with */
  async function held(userId: string, ask: () => Promise<unknown>): Promise<unknown> {
    const client = await pool().connect();
    try {
      await client.query("BEGIN");
      await client.query('SELECT 1 FROM "User" WHERE id = $1 FOR UPDATE', [userId]);
      const pid = (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid ?? 0;
      const asked = failureOf(ask());
      await endWaiting("$1::int = ANY(pg_blocking_pids(pid))", pid);
      return await asked;
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  }
  const failureOf = (asked: Promise<unknown>): Promise<unknown> => asked.then(() => null, (error: unknown) => error);
  const rename = (client: Tx, userId: string) => client.user.update({ where: { id: userId }, data: { name: "new" } });

  const shapes: Record<string, (userId: string) => Promise<unknown>> = {
    "between two statements of a transaction": () => failureOf(transaction(async (tx) => {
      await end(await pidOf(tx));
      await tx.user.count();
    })),
    "during a raw statement": async () => {
      const mark = `end-${randomUUID()}`;
      const asked = failureOf(db().$queryRawUnsafe(`SELECT pg_sleep(20)::text, '${mark}'`));
      await endWaiting("query LIKE $1", `%${mark}%`);
      return asked;
    },
    "during a model query": (userId) => held(userId, () => rename(db(), userId)),
    "during a statement of a transaction": (userId) => held(userId, () => transaction((tx) => rename(tx, userId))),
  };
  it.each(Object.keys(shapes))("counts as an outage %s", async (kind) => {
    const { userId } = await aPerson();
    const error = await shapes[kind]?.(userId);
    expect(error).toBeInstanceOf(Error);
    expect(isDatabaseDown(error)).toBe(true);
  });

  it("differs from a statement that PostgreSQL refuses", async () => {
    for (const refused of [db().$queryRawUnsafe("SELECT 1/0"), db().$queryRawUnsafe("SELEC"), db().user.update({ where: { id: randomUUID() }, data: { name: "x" } })]) {
      const error = await failureOf(refused);
      expect(error).toBeInstanceOf(Error);
      expect(isDatabaseDown(error)).toBe(false);
    }
  });
});
