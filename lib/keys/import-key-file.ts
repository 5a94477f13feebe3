import { type Context, requirePermission } from "@/lib/access";
import { type ImportProblem, readImportFile } from "./import-file";
import { importKeys } from "./import-keys";
import { importMax, type ImportKeyFileInput, type ImportResult } from "./schemas";

export type ImportReport = { results: (Omit<ImportResult, "index"> & { line: number })[]; problems: ImportProblem[] };

/**
 * Imports the keys of a file. One that cannot be read to its end is not begun: half of a file is hard to finish.
 * @returns a result per line, or what is wrong with the file
 * @throws SluiceError as `importKeys`
 */
export async function importKeyFile(ctx: Context, { text, tenant, dryRun }: ImportKeyFileInput): Promise<ImportReport> {
  requirePermission(ctx, "admin:keys");
  const { keys, problems } = readImportFile(text, tenant);
  if (problems.length > 0) return { results: [], problems: problems.slice(0, 200) };
  const report: ImportReport = { results: [], problems: [] };
  for (let from = 0; from < keys.length; from += importMax) {
    const part = keys.slice(from, from + importMax);
    for (const { index, ...result } of await importKeys(ctx, { keys: part.map(({ key }) => key), dryRun })) report.results.push({ line: part[index]?.line ?? 0, ...result });
  }
  return report;
}
