import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";

/** The advisory lock that Prisma's own `migrate deploy` takes, so that the two never run at once. */
const prismaLock = 72_707_369;

const ledger = `CREATE TABLE IF NOT EXISTS _prisma_migrations (id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)`;

export type Migration = { name: string; sql: string; checksum: string; state: "applied" | "pending" | "failed" | "edited" };

/** Every migration of the folder, in order, with what the ledger says of it. Changes nothing, and needs no ledger to be there. */
export async function listMigrations(client: pg.Client, directory: string): Promise<Migration[]> {
  const { rows: [found] } = await client.query<{ ledger: string | null }>("SELECT to_regclass('_prisma_migrations') AS ledger");
  type Row = { migration_name: string; checksum: string; finished_at: Date | null };
  const { rows } = found?.ledger ? await client.query<Row>("SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL") : { rows: [] };
  const known = new Map(rows.map((row) => [row.migration_name, row]));
  return readdirSync(directory).sort().filter((name) => existsSync(join(directory, name, "migration.sql"))).map((name) => {
    const sql = readFileSync(join(directory, name, "migration.sql"), "utf8");
    const checksum = createHash("sha256").update(sql).digest("hex");
    const row = known.get(name);
    const state = !row ? "pending" : !row.finished_at ? "failed" : row.checksum !== checksum ? "edited" : "applied";
    return { name, sql, checksum, state };
  });
}

/**
 * Applies `prisma/migrations/<name>/migration.sql` in order, keeping Prisma's own ledger, so that production needs no
 * Prisma CLI and `prisma migrate status` agrees. Several processes may start at once: one applies, the others wait.
 * One file is one simple query and so one transaction; when it fails, nothing of it stays and a corrected one may follow.
 *
 * @returns the names applied now.
 */
export async function applyMigrations(databaseUrl: string, directory: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [prismaLock]);
    await client.query(ledger);
    const applied: string[] = [];
    for (const { name, sql, checksum, state } of await listMigrations(client, directory)) {
      if (state === "failed") throw new Error(`migration ${name} failed earlier and is not atomic: repair it by hand`);
      if (state === "edited") throw new Error(`migration ${name} was edited after it was applied`);
      if (state === "applied") continue;
      await applyOne(client, name, sql, checksum);
      applied.push(name);
    }
    return applied;
  } finally {
    await client.end();
  }
}

async function applyOne(client: pg.Client, name: string, sql: string, checksum: string): Promise<void> {
  const id = randomUUID();
  await client.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)", [id, checksum, name]);
  try {
    await client.query(sql);
  } catch (cause) {
    await client.query("ROLLBACK").catch(() => undefined);
    // A file with its own transaction control, or CONCURRENTLY, may have left a part behind: its row stays open.
    const atomic = !/\b(begin|commit|concurrently)\b/i.test(sql.replace(/--.*$/gm, ""));
    const message = cause instanceof Error ? cause.message : String(cause);
    await client.query("UPDATE _prisma_migrations SET logs = $2, rolled_back_at = CASE WHEN $3 THEN now() END WHERE id = $1", [id, message, atomic]);
    throw new Error(`migration ${name}: ${message}`, { cause });
  }
  await client.query("UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1", [id]);
}
