import type { z } from "zod";
import { type InputError, invalid, SluiceError } from "@/lib/platform/errors";

const depthMax = 40;

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Parses input with its schema. @throws SluiceError `validation_failed` with a JSON pointer for each fault. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown, base = ""): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue): InputError[] => {
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ pointer: base + pointerOf([...issue.path, key]), detail: "is not a known field" }));
    return [{ pointer: base + pointerOf(issue.path), detail: lowerFirst(issue.message) }];
  });
  throw invalid(errors.slice(0, 50));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/**
 * Refuses what no field of ours may hold, before any schema sees it: null bytes and halves of characters (PostgreSQL refuses
 * them), keys that reach an object's prototype, and nesting deep enough to exhaust a recursive reader. Iterative for that
 * reason.
 */
export function refuseHostile(value: unknown): void {
  const open: { value: unknown; path: PropertyKey[] }[] = [{ value, path: [] }];
  for (let next = open.pop(); next; next = open.pop()) {
    if (typeof next.value === "string") {
      if (next.value.includes("\0")) throw invalid([{ pointer: pointerOf(next.path), detail: "must not contain a null byte" }]);
      if (!next.value.isWellFormed()) throw invalid([{ pointer: pointerOf(next.path), detail: "must be well-formed Unicode" }]);
    }
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.path.length >= depthMax) throw invalid([{ pointer: "", detail: `must not be nested deeper than ${depthMax} levels` }]);
    for (const [key, inner] of Object.entries(next.value)) {
      const path = [...next.path, key];
      if (key === "__proto__" || key.includes("\0") || !key.isWellFormed()) throw invalid([{ pointer: pointerOf(path).toWellFormed(), detail: "is not a known field" }]);
      open.push({ value: inner, path });
    }
  }
}

/** Parses JSON text. @throws SluiceError `malformed_json` */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SluiceError("malformed_json", "The body is not valid JSON.", { cause });
  }
  refuseHostile(value);
  return value;
}
