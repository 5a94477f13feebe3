import { ImportedKey } from "./schemas";

/** A line of the file and what it says; in JSON the number of the key, from 1. */
export type ImportLine = { line: number; key: ImportedKey };
export type ImportProblem = { line: number; detail: string };
export type ImportFile = { keys: ImportLine[]; problems: ImportProblem[] };

const lists = ["permissions", "chatflowIds", "allowedIps"];
const columns = ["sha256", "name", "permissions", "userId", "tenant", "user", "hashed", "prefix", "start", "last4", "rateLimit", "expiresAt", "allowedIps", "chatflowIds", "description"];

/**
 * Reads keys to import from JSON (`[…]` or `{"keys": […]}`) or CSV (RFC 4180, with a first line that names the columns; lists
 * are separated by spaces or semicolons, a limit is written `requests/seconds`). Every fault is told with its line.
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
    else file.problems.push(...parsed.error.issues.map((issue) => ({ line, detail: `${issue.path.join(".") || "the key"}: ${issue.code === "unrecognized_keys" ? `${issue.keys.join(", ")} is not a known field` : issue.message}` })));
  }
  if (file.keys.length === 0 && file.problems.length === 0) file.problems.push({ line: 1, detail: "there is no key in this file" });
  return file;
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
  const [header, ...records] = csvRecords(text);
  const names = header?.cells.map((cell) => cell.trim()) ?? [];
  const unknown = names.filter((name) => !columns.includes(name));
  if (unknown.length > 0 || !names.includes("sha256")) {
    return { rows: [], problems: [{ line: 1, detail: unknown.length > 0 ? `${unknown.map((name) => JSON.stringify(name.slice(0, 40))).join(", ")} is not a known column; known are ${columns.join(", ")}` : "the first line must name the columns, sha256 among them" }] };
  }
  const rows: Rows = { rows: [], problems: [] };
  for (const { line, cells } of records) {
    if (cells.length !== names.length) rows.problems.push({ line, detail: `has ${cells.length} values for ${names.length} columns` });
    else rows.rows.push({ line, value: Object.fromEntries(names.flatMap((name, i) => cellOf(name, cells[i]?.trim() ?? ""))) });
  }
  return rows;
}

/** An empty cell says nothing. */
function cellOf(name: string, text: string): [string, unknown][] {
  if (text === "") return [];
  if (lists.includes(name)) return [[name, text.split(/[\s;]+/).filter(Boolean)]];
  if (name !== "rateLimit") return [[name, text]];
  const [, requests, window] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  return [[name, requests ? { requests: Number(requests), window: Number(window) } : text]];
}

/** Quotes protect commas, line ends and, doubled, themselves. Empty lines are left out. */
function csvRecords(text: string): { line: number; cells: string[] }[] {
  const records: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let cell = "";
  let isQuoted = false;
  let line = 1;
  let startedAt = 1;
  const end = () => {
    cells.push(cell);
    if (cells.length > 1 || cell.trim() !== "") records.push({ line: startedAt, cells });
    [cells, cell, startedAt] = [[], "", line + 1];
  };
  for (let i = 0; i < text.length; i++) {
    const letter = text[i] ?? "";
    if (isQuoted && letter === '"' && text[i + 1] === '"') cell += text[++i];
    else if (letter === '"') isQuoted = !isQuoted;
    else if (letter === "," && !isQuoted) {
      cells.push(cell);
      cell = "";
    } else if (letter === "\n" && !isQuoted) end();
    else if (letter !== "\r" || isQuoted) cell += letter;
    if (letter === "\n") line++;
  }
  end();
  return records;
}
