import { readFile, stat } from "node:fs/promises";
import { parseArgs } from "node:util";
import { importKeyFile, type ImportReport } from "@/lib/keys";
import { decodeKeyFile, ImportKeyFileInput } from "@/lib/keys/schemas";
import { runCommand, say, UsageError } from "./run";

const usage = `Imports API keys of an earlier system by their SHA-256, so that they work unchanged.

  npm run key:import -- keys.csv [--tenant acme] [--dry-run] [--json]

The file is CSV with a line of column names, as spreadsheets write it (commas, semicolons or tabs; UTF-8 or UTF-16), or JSON ([…] or {"keys": […]}). Of each key:
    sha256       hex, of the whole key; or of what follows its prefix, then hashed = afterPrefix and prefix = flash_
    name, permissions (separated by spaces or semicolons)
    userId       our id or Keycloak's; or user (username or verified email) with tenant (or --tenant for all)
    optional     start, last4, rateLimit (requests/seconds), expiresAt, allowedIps, chatflowIds, description
A file with a line that cannot be read imports nothing. A key that is known already is left as it is, so a run can be repeated.`;

const fileMax = 5_000_000;

async function read() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { tenant: { type: "string" }, "dry-run": { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean" } } });
    return { ...values, file: positionals.length === 1 ? positionals[0] : undefined };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : "unreadable arguments"}\n\n${usage}`);
  }
}

async function textOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) throw new UsageError(`there is no file ${file}`);
  if (found.size > fileMax) throw new UsageError(`${file} is larger than 5 MB; split it`);
  return decodeKeyFile(await readFile(file));
}

function tell({ results, problems }: ImportReport, file: string, dryRun: boolean): void {
  for (const { line, detail } of problems) say(`${file}:${line}: ${detail}`);
  if (problems.length > 0) return say("Nothing was imported.");
  for (const { line, name, status, detail } of results) if (status !== "imported") say(`${file}:${line}: ${name}: ${status === "exists" ? "known already, left as it is" : detail}`);
  const count = (status: string) => results.filter((result) => result.status === status).length;
  say(`${count("imported")} ${dryRun ? "would be imported" : "imported"}, ${count("exists")} known already, ${count("error")} failed.`);
  const waiting = new Set(results.filter(({ grant }) => grant === "missing").map(({ userId }) => userId)).size;
  if (waiting > 0) say(`${waiting} ${waiting === 1 ? "owner has" : "owners have"} not given machine access yet: calls of their keys to the engines wait for that.`);
}

void runCommand("key:import", async (ctx) => {
  const { file, tenant, json, help, "dry-run": dryRun = false } = await read();
  if (help) {
    say(usage);
    return 0;
  }
  if (!file) throw new UsageError(`name one file\n\n${usage}`);
  const report = await importKeyFile(ctx, ImportKeyFileInput.parse({ text: await textOf(file), tenant, dryRun }));
  tell(report, file, dryRun);
  if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  return report.problems.length > 0 || report.results.some(({ status }) => status === "error") ? 1 : 0;
});
