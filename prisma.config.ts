import { defineConfig } from "prisma/config";

// Client 7 needs no engine, yet the CLI downloads one at its first use. These three commands never start it, so any
// existing file will do; `migrate` must not be fooled like that, it would exit 0 having done nothing.
if (process.argv.some((argument) => ["generate", "validate", "format"].includes(argument))) {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;
}

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  datasource: { url: process.env.DATABASE_URL ?? "postgresql://localhost:5432/sluice" },
});
