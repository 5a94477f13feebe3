import pg from "pg";
import type { Env } from "@/lib/platform/env";
import { listMigrations, type Migration } from "@/lib/platform/migrate";
import { type Area, type Check, failed, notApplicable, once, passed, type Verdict } from "../check";
import { isHere } from "../where";

const versionMin = 15;
// A list of rights in one has_table_privilege would ask for any of them.
const mayAll = ["SELECT", "INSERT", "UPDATE", "DELETE"].map((right) => `has_table_privilege(format('%I.%I', schemaname, tablename), '${right}')`).join(" AND ");
const rights = `SELECT current_schema() AS schema, has_schema_privilege(current_schema(), 'CREATE') AS creates,
  (SELECT count(*)::int FROM pg_tables WHERE schemaname = current_schema() AND NOT (${mayAll})) AS closed`;

export function postgresArea(env: Env, migrations = "prisma/migrations"): Area {
  const client = new pg.Client({ connectionString: env.DATABASE_URL, connectionTimeoutMillis: 4000, query_timeout: 4000, application_name: "sluice doctor" });
  client.on("error", () => undefined);
  const connected = once("the connection", async () => (await client.connect(), client));
  const row = async <T extends pg.QueryResultRow>(sql: string): Promise<T | undefined> => (await (await connected()).query<T>(sql)).rows[0];
  const cure = "see that DATABASE_URL is right (host, database, user, password, sslmode) and reachable from here";
  const check = (name: string, run: Check["run"]): Check => ({ name, cure, run });
  return {
    name: "PostgreSQL",
    close: async () => client.end(),
    checks: [
      check("version", async () => judgeVersion((await row<{ server_version: string }>("SHOW server_version"))?.server_version ?? "")),
      check("rights", async () => judgeRights(await row(rights))),
      check("migrations", async () => judgeMigrations(await listMigrations(await connected(), migrations))),
      check("encrypted on the way", async () => {
        if (isHere(new URL(env.DATABASE_URL).hostname)) return notApplicable("it is on this machine");
        return judgeTls((await row<{ ssl: boolean }>("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))?.ssl ?? false);
      }),
    ],
  };
}

export function judgeVersion(version: string): Verdict {
  return Number.parseInt(version, 10) >= versionMin ? passed(version) : failed(version, `use PostgreSQL ${versionMin} or newer`);
}

export function judgeRights(found: { schema: string | null; creates: boolean | null; closed: number } | undefined): Verdict {
  if (!found?.schema) return failed("this user sees no schema", "give the user a schema of its own, or USAGE and CREATE on public");
  if (!found.creates) return failed(`this user may not create in ${found.schema}`, `GRANT CREATE ON SCHEMA ${found.schema} to the user of DATABASE_URL: migrations are applied at start`);
  if (found.closed > 0) return failed(`${found.closed} tables of ${found.schema} are not its own`, "let the user of DATABASE_URL own the tables, or grant it SELECT, INSERT, UPDATE and DELETE on all of them");
  return passed(`may create in ${found.schema}`);
}

export function judgeMigrations(all: Pick<Migration, "name" | "state">[]): Verdict {
  const inState = (state: Migration["state"]) => all.filter((m) => m.state === state).map((m) => m.name);
  const [broken] = inState("failed");
  if (broken) return failed(`${broken} failed earlier`, "look at its logs in _prisma_migrations, repair the tables by hand, and mark it as rolled back (prisma migrate resolve)");
  const [edited] = inState("edited");
  if (edited) return failed(`${edited} is not the one that was applied`, "run the version of Sluice that this database belongs to, and never edit an applied migration");
  const pending = inState("pending");
  return pending.length > 0 ? passed(`${pending.length} of ${all.length} will be applied at the next start`) : passed(`all ${all.length} are applied`);
}

function judgeTls(isEncrypted: boolean): Verdict {
  return isEncrypted ? passed("TLS") : failed("the connection is not encrypted", "add ?sslmode=verify-full to DATABASE_URL, and switch ssl on at the server");
}
