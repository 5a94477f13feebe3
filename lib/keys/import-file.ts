import { CsvError, parse } from "csv-parse/sync";
import { ImportedKey } from "./schemas";

/** A line of the file and what it says; in JSON the number of the key, from 1. */
export type ImportLine = { line: number; key: ImportedKey };
export type ImportProblem = { line: number; detail: string };
export type ImportFile = { keys: ImportLine[]; problems: ImportProblem[] };

const lists = ["permissions", "chatflowIds", "allowedIps"];
const columns = ["sha256", "name", "permissions", "userId", "tenant", "user", "hashed", "prefix", "start", "last4", "rateLimit", "expiresAt", "allowedIps", "chatflowIds", "description"];

/**
 * Reads keys to import from JSON (`[…]` or `{"keys": […]}`) or CSV as spreadsheets write it: commas, semicolons or tabs, a `sep=` line,
 * column names in any case and with spaces, empty columns and lines at the end. Lists are separated by spaces, semicolons or commas, a limit is written
 * `requests/seconds`. Every fault is named with its line and column, all at once.
 *
 * @param tenant for lines that name a user and no tenant
 */
export function readImportFile(text: string, tenant?: string): ImportFile {
  const trimmed = text.replace(/^\uFEFF/, "");
  const rows = /^\s*[[{]/.test(trimmed) ? jsonRows(trimmed) : csvRows(trimmed);
  const file: ImportFile = { keys: [], problems: [...rows.problems] };
  for (const { line, value } of rows.rows) {
    const named = tenant && isRecord(value) && value.user !== undefined && value.tenant === undefined ? { ...value, tenant } : value;
    const parsed = ImportedKey.safeParse(named);
    if (parsed.success) file.keys.push({ line, key: parsed.data });
    else file.problems.push(...parsed.error.issues.map((issue) => ({ line, detail: issue.code === "unrecognized_keys" ? `${issue.keys.join(", ")} is not a known field` : `${String(issue.path[0] ?? "the key")}: ${quoted(named, issue.path)}${issue.message}` })));
  }
  if (file.keys.length === 0 && file.problems.length === 0) file.problems.push({ line: 1, detail: "there is no key in this file" });
  return { ...file, problems: file.problems.sort((a, b) => a.line - b.line) };
}

/** The entry of a list that is meant. */
function quoted(value: unknown, path: PropertyKey[]): string {
  const [name, index] = path;
  const list = isRecord(value) && typeof name === "string" ? value[name] : undefined;
  return Array.isArray(list) && typeof index === "number" ? `${JSON.stringify(String(list[index]).slice(0, 60))} ` : "";
}

type Rows = { rows: { line: number; value: unknown }[]; problems: ImportProblem[] };

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function jsonRows(text: string): Rows {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { rows: [], problems: [{ line: 1, detail: `is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : "unreadable"}` }] };
  }
  const list = isRecord(json) ? json.keys : json;
  if (!Array.isArray(list)) return { rows: [], problems: [{ line: 1, detail: "must be a list of keys, or an object with one under \"keys\"" }] };
  return { rows: list.map((value, i) => ({ line: i + 1, value })), problems: [] };
}

function csvRows(text: string): Rows {
  // Spreadsheets name their separator in a line before the header.
  const [sepLine = "", sep] = /^sep=(.)\r?\n/i.exec(text) ?? [];
  const body = text.slice(sepLine.length);
  let records: CsvRecord[];
  try {
    records = csvRecords(body, sep ?? delimiterOf(body), sepLine === "" ? 0 : 1);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { rows: [], problems: [{ line: Number(error.lines ?? 1) + (sepLine === "" ? 0 : 1), detail: "has a quote that is not closed. Double a quote inside a quoted cell" }] };
  }
  const [header, ...rest] = records;
  const given = withoutEmptyEnd(header?.cells ?? []);
  const names = given.map((cell) => columns.find((name) => plain(name) === plain(cell)) ?? null);
  const unknown = given.filter((_, i) => names[i] === null);
  const line = header?.line ?? 1;
  if (unknown.length > 0) return { rows: [], problems: [{ line, detail: `${unknown.map((name) => JSON.stringify(name.slice(0, 40))).join(", ")} is not a known column; known are ${columns.join(", ")}` }] };
  if (!names.includes("sha256")) return { rows: [], problems: [{ line, detail: "the first line must name the columns, sha256 among them" }] };
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) return { rows: [], problems: [{ line, detail: `the column ${twice} is there twice` }] };
  const rows: Rows = { rows: [], problems: [] };
  for (const record of rest) addRow(rows, record, names as string[]);
  return rows;
}

/** A line that is cut short is refused: what is missing may be its list of addresses. */
function addRow(rows: Rows, { line, cells }: CsvRecord, names: string[]): void {
  const found = cells.length > names.length ? withoutEmptyEnd(cells, names.length) : cells;
  if (found.length !== names.length) return void rows.problems.push({ line, detail: `has ${found.length} values for ${names.length} columns` });
  const value: Record<string, unknown> = {};
  const problems: ImportProblem[] = [];
  for (const [i, name] of names.entries()) {
    const text = found[i] ?? "";
    if (text === "") continue;
    const read = readCell(name, text);
    if ("problem" in read) problems.push({ line, detail: `${name}: ${read.problem}` });
    else value[name] = read.value;
  }
  if (problems.length === 0) return void rows.rows.push({ line, value });
  rows.problems.push(...problems);
  // The other columns are judged as well, so that one look at the file is enough.
  const left = ImportedKey.safeParse(value);
  const told = new Set(problems.map(({ detail }) => detail.split(":", 1)[0]));
  if (!left.success) rows.problems.push(...left.error.issues.filter(({ path }) => !told.has(String(path[0])) && String(path[0]) in value).map((issue) => ({ line, detail: `${String(issue.path[0])}: ${quoted(value, issue.path)}${issue.message}` })));
}

/** A cell as the field wants it, or what to write instead. */
function readCell(name: string, text: string): { value: unknown } | { problem: string } {
  if (lists.includes(name)) return { value: text.split(/[\s;,]+/).filter(Boolean) };
  if (name === "rateLimit") {
    const [, requests, window] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
    if (requests) return { value: { requests: Number(requests), window: Number(window) } };
    const digits = text.replace(/[\s.,'\u00A0\u202F\u2019]/g, "");
    return { problem: /^\d{1,9}\/\d{1,9}$/.test(digits) ? `write ${digits}` : `${JSON.stringify(text.slice(0, 40))} is no limit. Write requests/seconds, such as 1000/3600` };
  }
  if (name === "expiresAt" && !/^\d{4}-\d\d-\d\dT/.test(text)) return { problem: `${JSON.stringify(text.slice(0, 40))} is no instant. Write it as 2027-01-31T00:00:00Z` };
  return { value: text };
}

/** Column names as people write them: any case, with spaces, dashes or underscores. */
const plain = (name: string) => name.toLowerCase().replace(/[\s_-]+/g, "");

/** The one that the first line has most of, outside quotes. */
function delimiterOf(text: string): string {
  const line = (/^[^\r\n]*/.exec(text.trimStart())?.[0] ?? "").replace(/"[^"]*"/g, "");
  const count = (sign: string) => line.split(sign).length;
  return [",", ";", "\t"].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

function withoutEmptyEnd(cells: string[], least = 0): string[] {
  let length = cells.length;
  while (length > least && cells[length - 1] === "") length--;
  return cells.slice(0, length);
}

type CsvRecord = { line: number; cells: string[] };

/** @throws CsvError for a quote that is never closed */
function csvRecords(text: string, delimiter: string, linesBefore: number): CsvRecord[] {
  const parsed = parse(text, { delimiter, info: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, trim: true }) as unknown as { record: string[]; info: { lines: number; empty_lines: number } }[];
  let [linesSoFar, emptySoFar] = [0, 0];
  return parsed.flatMap(({ record, info }) => {
    // The parser counts the line on which a record ends.
    const line = linesBefore + linesSoFar + (info.empty_lines - emptySoFar) + 1;
    [linesSoFar, emptySoFar] = [info.lines, info.empty_lines];
    return record.every((cell) => cell === "") ? [] : [{ line, cells: record }];
  });
}
