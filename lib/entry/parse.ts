import type { z } from "zod";
import { type InputError, invalid, SluiceError } from "@/lib/platform/errors";

const depthMax = 40;
/** Values of one body. Uploads are long texts, each of which is one value. */
export const valuesMax = 200_000;
/** Characters of a name in a pointer: pointers are answered and kept, and a name may be as long as the body. */
const nameMax = 200;
const errorsMax = 50;

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${shortened(String(part)).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** A cut may halve a character, and names that are refused may hold halves. */
function shortened(name: string): string {
  return (name.length > nameMax ? `${name.slice(0, nameMax)}…` : name).toWellFormed();
}

/** Parses input with its schema. @throws SluiceError `validation_failed` with a JSON pointer for each fault. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown, base = ""): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = result.error.issues.slice(0, errorsMax).flatMap((issue): InputError[] => {
    if (issue.code === "unrecognized_keys") return issue.keys.slice(0, errorsMax).map((key) => ({ pointer: base + pointerOf([...issue.path, key]), detail: "is not a known field" }));
    return [{ pointer: base + pointerOf(issue.path), detail: lowerFirst(issue.message) }];
  });
  throw invalid(errors.slice(0, errorsMax));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A list or object and where it stands. Linked to the one around it: a path for each value would cost more than the values. */
type Container = { value: object; name: PropertyKey; around: Container | null; depth: number };

/**
 * Refuses what no field of ours may hold, before any schema sees it: null bytes and halves of characters (PostgreSQL refuses
 * them), keys that reach an object's prototype, nesting deep enough to exhaust a recursive reader, and more values than anybody
 * sends. Iterative for that reason.
 */
export function refuseHostile(value: unknown): void {
  const open: Container[] = [];
  let values = 0;
  const look = (inner: unknown, name: PropertyKey, around: Container | null) => {
    // Counted here too: what Next.js reads of an action may name one list many times over, and is longer than its text.
    if (++values > valuesMax) throw tooManyValues();
    if (typeof inner === "string") refuseText(inner, name, around);
    else if (typeof inner === "object" && inner !== null) open.push({ value: inner, name, around, depth: around ? around.depth + 1 : 0 });
  };
  look(value, "", null);
  for (let container = open.pop(); container; container = open.pop()) {
    if (container.depth >= depthMax) throw invalid([{ pointer: "", detail: `must not be nested deeper than ${depthMax} levels` }]);
    const inside = container.value;
    if (Array.isArray(inside)) {
      for (let i = 0; i < inside.length; i++) look(inside[i], i, container);
      continue;
    }
    for (const name of Object.keys(inside)) {
      if (name === "__proto__" || name.includes("\0") || !name.isWellFormed()) throw invalid([{ pointer: pointerTo(name, container), detail: "is not a known field" }]);
      look((inside as Record<string, unknown>)[name], name, container);
    }
  }
}

function tooManyValues(): SluiceError {
  return new SluiceError("bad_request", `The body may hold at most ${valuesMax.toLocaleString("en")} values.`, { decision: { check: "size", seen: null, limit: valuesMax } });
}

function refuseText(text: string, name: PropertyKey, around: Container | null): void {
  if (text.includes("\0")) throw invalid([{ pointer: pointerTo(name, around), detail: "must not contain a null byte" }]);
  if (!text.isWellFormed()) throw invalid([{ pointer: pointerTo(name, around), detail: "must be well-formed Unicode" }]);
}

function pointerTo(name: PropertyKey, around: Container | null): string {
  const path: PropertyKey[] = [];
  for (let container = around; container; container = container.around) {
    path.unshift(name);
    name = container.name;
  }
  return pointerOf(path);
}

const [quote, comma, openingBracket, openingBrace, backslash] = [0x22, 0x2c, 0x5b, 0x7b, 0x5c];

/**
 * Whether JSON text may hold more values than `valuesMax`: each but the first stands behind a comma or an opening bracket. Told by
 * the text, since making millions of values is what would block the process or exhaust its memory.
 */
function holdsTooMany(text: string): boolean {
  if (text.length <= valuesMax) return false;
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === quote) i = endOfString(text, i);
    else if ((character === comma || character === openingBracket || character === openingBrace) && ++values > valuesMax) return true;
  }
  return false;
}

/** Where the string that begins here ends. Uploads hold no escapes, and are passed over at the speed of a search. */
function endOfString(text: string, start: number): number {
  let i = text.indexOf('"', start + 1);
  if (i === -1) return text.length;
  if (text.charCodeAt(i - 1) !== backslash) return i;
  for (i = start + 1; i < text.length && text.charCodeAt(i) !== quote; i++) if (text.charCodeAt(i) === backslash) i++;
  return i;
}

/** Parses JSON text. @throws SluiceError `malformed_json`; `bad_request` when it holds more than `valuesMax` values; `validation_failed` for what no field may hold. */
export function parseJson(text: string): unknown {
  if (holdsTooMany(text)) throw tooManyValues();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SluiceError("malformed_json", "The body is not valid JSON.", { cause });
  }
  refuseHostile(value);
  return value;
}
