import { shapeOf } from "@/lib/keys";

/**
 * Told by its looks, not by a list of fields that a new route could forget: keys, webhook secrets, tokens. Of keys of earlier systems we hold
 * hashes only, so what looks like one is something else, such as a name that somebody gave.
 */
function isShownOnce(value: unknown): boolean {
  return typeof value === "string" && (value.startsWith("whsec_") || /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(value) || shapeOf(value) === "ours");
}

/** A JSON answer without the members that are shown once; an envelope says so in its `message`. Anything else comes back as it is. */
export function withoutShownOnce(text: string): string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return text;
  }
  const dropped = new Set<string>();
  const rest = strip(json, dropped);
  if (dropped.size === 0) return text;
  const message = `This was made by an earlier call with the same Idempotency-Key. What was shown then (${[...dropped].join(", ")}) is not shown again.`;
  return JSON.stringify(isRecord(rest) && rest.status === "success" ? { ...rest, message } : rest);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function strip(value: unknown, dropped: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item, dropped));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => {
    if (!isShownOnce(inner)) return [[name, strip(inner, dropped)]];
    dropped.add(name);
    return [];
  }));
}
