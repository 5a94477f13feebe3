import { z } from "zod";
import type { CallTrace } from "@/lib/access";
import { isSluiceError } from "@/lib/platform/errors";

/** A call of somebody known that has ended. Collected as it is; what costs time is done when it is written. */
export type EndedCall = {
  requestId: string;
  /** When it came. */
  atMs: number;
  method: string;
  /** The route's pattern, never the path: ids and names of people's things stay out of the log. */
  route: string;
  status: number;
  ms: number;
  by: NonNullable<CallTrace["by"]>;
  call: CallTrace;
  ip: string | null;
  userAgent: string | null;
  /** What it failed with, if it did. */
  error: unknown;
};

/** Longer ones exist, and answer nothing here. */
const methodMax = 10;
const refusedFlag = 1;
const earlierFlag = 2;
const portalFlag = 4;
const uncountedFlag = 8;

/** As the stream carries it: a list in the order of `PackedCall`. */
export function packCall({ requestId, atMs, method, route, status, ms, by, call, ip, userAgent, error }: EndedCall): unknown[] {
  const code = error === undefined ? null : isSluiceError(error) ? error.code : "internal_error";
  const refId = isSluiceError(error) ? (error.options.extra?.refId ?? null) : null;
  const flags = (by.refused ? refusedFlag : 0) + (by.earlierSecret ? earlierFlag : 0) + (call.portal ? portalFlag : 0) + (by.uncounted ? uncountedFlag : 0);
  return [requestId, atMs, method.slice(0, methodMax), route, status, code, Math.round(ms), by.tenantId, by.userId, by.apiKeyId ?? null, call.upstream ?? null, refId, call.credits, ip, userAgent, flags];
}

/** One text that the database cannot hold would stop all that come after it. */
const text = (max: number) => z.string().max(max).refine((value) => !value.includes("\0") && value.isWellFormed());
const count = z.int().min(0).max(2_147_483_647);

const PackedCall = z.tuple([
  text(128), z.int().min(0), text(methodMax), text(200), z.int().min(100).max(599), text(50).nullable(), count, z.uuid(), z.uuid(), z.uuid().nullable(),
  z.enum(["flowise", "nflow"]).nullable(), text(200).nullable(), count, text(64).nullable(), text(400).nullable(), z.int(),
]).transform(([requestId, atMs, method, route, status, code, ms, tenantId, userId, apiKeyId, upstream, refId, credits, ip, userAgent, flags]) =>
  ({
    requestId, atMs, method, route, status, code, ms, tenantId, userId, apiKeyId, upstream, refId, credits, ip, userAgent,
    refusedByCheck: (flags & refusedFlag) !== 0 && (flags & uncountedFlag) === 0, uncounted: (flags & uncountedFlag) !== 0, earlierSecret: (flags & earlierFlag) !== 0, portal: (flags & portalFlag) !== 0,
  }));

export type CallRow = z.output<typeof PackedCall>;

/** @returns what can be read of a stream entry's `l`; the rest is left out and stops nobody else. */
export function unpackCalls(json: string): CallRow[] {
  let packed: unknown;
  try {
    packed = JSON.parse(json);
  } catch {
    return [];
  }
  if (!Array.isArray(packed)) return [];
  return packed.flatMap((one) => {
    const call = PackedCall.safeParse(one);
    return call.success ? [call.data] : [];
  });
}
