import type { z } from "zod";
import { invalid } from "./errors";

/** Where a page of a list ended, opaque to clients: the last row's sort key, so that rows that come or go meanwhile shift nothing. */
export function writeCursor(last: unknown): string {
  return Buffer.from(JSON.stringify(last)).toString("base64url");
}

/** @throws SluiceError `validation_failed` for what is not a cursor of ours */
export function readCursor<S extends z.ZodType>(schema: S, cursor: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
  } catch {
    throw invalid([{ pointer: "/query/cursor", detail: "is not a cursor of ours" }]);
  }
}

/** Cuts a page out of `limit + 1` rows: the one too many tells that more follow. */
export function pageOf<T>(rows: T[], limit: number, sortKey: (row: T) => unknown): { page: T[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last !== undefined ? writeCursor(sortKey(last)) : null };
}
