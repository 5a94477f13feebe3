import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { applyMigrations } from "../../lib/platform/migrate";
import { startPostgres } from "../lib/postgres";
import { startRedis } from "../lib/redis";
import { testEnv } from "./env";

declare module "vitest" {
  interface ProvidedContext {
    env: Record<string, string>;
    adminDatabaseUrl: string;
  }
}

/** One real PostgreSQL and one real Redis for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join("/var/tmp", "sluice-test-"));
  const postgres = await startPostgres(join(folder, "postgres"), { throwaway: true });
  const redis = await startRedis(join(folder, "redis"), { throwaway: true });
  await applyMigrations(postgres.url, "prisma/migrations");
  project.provide("env", testEnv({ databaseUrl: postgres.url, redisUrl: redis.url }));
  project.provide("adminDatabaseUrl", postgres.urlOf("postgres"));
  return async () => {
    await redis.stop();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
