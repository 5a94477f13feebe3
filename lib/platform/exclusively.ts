import { pool } from "./db";

/**
 * Runs work that may happen once at a time over all replicas, under one of our advisory locks.
 * @param about what the work is about, where it may happen for several things side by side, such as realms.
 * @returns null when somebody else is at it; else what the work gave.
 */
export async function exclusively<T>(lock: number, about: string, work: () => Promise<T>): Promise<{ done: T } | null> {
  const client = await pool().connect();
  // A connection that is lost while it is ours would otherwise end the process; the next statement fails by itself.
  const lost = () => undefined;
  client.on("error", lost);
  try {
    const { rows } = await client.query<{ locked: boolean }>("SELECT pg_try_advisory_lock($1::int, hashtext($2)) AS locked", [lock, about]);
    if (!rows[0]?.locked) return null;
    try {
      return { done: await work() };
    } finally {
      await client.query("SELECT pg_advisory_unlock($1::int, hashtext($2))", [lock, about]);
    }
  } finally {
    client.off("error", lost);
    client.release();
  }
}
