import { permissionBit, permissionsOf } from "@/lib/access";
import { isSluiceError, SluiceError, storeUnavailable } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { metrics } from "@/lib/platform/metrics";
import { isRedisDown } from "@/lib/platform/redis";
import { isLate, within } from "@/lib/platform/within";
import { parsePerson, userRecordKey } from "@/lib/tenants";
import { packAddress, rangeTexts } from "./addresses";
import { askRedis, type CheckItem, type CheckReply } from "./check-batch";
import { checkWithoutRedis } from "./check-without-redis";
import { keyRecordByHash, keyRecordById, loadRecords, type Start } from "./key-records";
import { addressLimitName, countHere, wholeSeconds } from "./limit";
import { type LimitState, rateHeaders } from "./rate-headers";
import { lookupHashes, shapeOf } from "./secret";
import { type CheckOptions, malformedKey, refusal, type RefusalCode, type Subject, type Verdict } from "./verdict";

type Check = CheckItem & { start: Start };

const everyPermission = 0x7fffffff;
const loadsMax = 2;
/** What a call waits for records that Redis lacks. */
const recordsMs = 4000;

/**
 * Checks a call: state of the key, expiry, owner and tenant, permission, limits of key, owner and tenant (taken all or
 * none), in one Redis round trip when the records are warm. Never throws for a refusal or a store that is away: those
 * are verdicts. Failed authentications are counted against the address in here.
 */
export async function checkCall(subject: Subject, options: CheckOptions): Promise<Verdict> {
  const looks = subject.kind === "secret" ? refuseByLooks(subject.secret, options) : null;
  if (looks) return refused(looks);
  const item = itemOf(subject, options);
  try {
    return await checkInRedis(item, options);
  } catch (error) {
    const refusedByRedis = error instanceof Error && error.name === "ReplyError";
    if (!refusedByRedis && !isRedisDown(error) && !isSluiceError(error, "store_unavailable")) throw error;
    // Such as memory that has run out: for the caller no different from a Redis that is away, for us it is.
    if (refusedByRedis) logger.error({ err: error }, "redis refuses the key check");
    return counted(await checkWithoutRedis(item.start, subject, options));
  }
}

const words = {
  invalid_credentials: "invalid", key_revoked: "revoked", key_expired: "expired", key_disabled: "disabled", key_rotated: "rotated", owner_disabled: "owner", ip_not_allowed: "address", insufficient_permission: "permission", rate_limited: "limited",
} as const;
const admitted = metrics.keyChecks.cell({ verdict: "admitted" });

function counted(verdict: Verdict): Verdict {
  if (verdict.ok) admitted.count += 1;
  else metrics.keyChecks.inc({ verdict: words[verdict.error.code as keyof typeof words] ?? "other" });
  return verdict;
}

async function checkInRedis(item: Check, options: CheckOptions): Promise<Verdict> {
  for (let loads = 0; ; loads++) {
    const reply = await askRedis(item);
    const verdict = reply.packed.startsWith("R|") ? verdictOf(reply, options) : null;
    if (verdict) return counted(verdict);
    if (reply.packed.startsWith("X|")) logger.warn({ detail: reply.packed, start: item.start.by }, "a record could not be checked");
    if (loads === loadsMax) return refused(storeUnavailable(new Error(`no verdict: ${reply.packed}`)));
    const found = await within(recordsMs, loadRecords(item.start)).catch((error: unknown) => (isLate(error) ? null : Promise.reject(error)));
    if (found === null) return refused(storeUnavailable(new Error("PostgreSQL does not answer")));
    if (!found) return refused(refusal("unknown"));
  }
}

/** What is no key by its looks costs no I/O at all, and counts in this process only. */
function refuseByLooks(secret: string, { ip, cost }: CheckOptions): SluiceError | null {
  const shape = shapeOf(secret);
  if (shape === "ours" || shape === "earlier") return null;
  return (cost === 0 ? null : countHere(ip, "looks")) ?? malformedKey();
}

function itemOf(subject: Subject, options: CheckOptions): Check {
  const start = startOf(subject);
  const key = start.by === "hash" ? keyRecordByHash(start.value) : start.by === "id" ? keyRecordById(start.value) : userRecordKey(start.value);
  const need = options.permission ? permissionBit(options.permission) : 0;
  const most = subject.kind === "secret" ? everyPermission : (subject.permissions ?? everyPermission);
  const { ip } = options;
  const address = addressLimitName(ip);
  const from = start.by === "user" ? "" : ip === "any" ? "*" : packAddress(ip);
  const other = start.other === undefined ? "" : keyRecordByHash(start.other);
  return { start, key, arg: `${start.by === "user" ? "u" : "k"}|${need}|${most}|${options.cost ?? 1}|${start.familyId ?? ""}|${address ? `sl:l:${address}` : ""}|${from}|${other}|${options.at ?? ""}` };
}

function startOf(subject: Subject): Start {
  if (subject.kind === "secret") return { by: "hash", ...lookupHashes(subject.secret) };
  const familyId = subject.familyId ? { familyId: subject.familyId } : {};
  return subject.kind === "key" ? { by: "id", value: subject.apiKeyId, ...familyId } : { by: "user", value: subject.userId, ...familyId };
}

/** Null when the person in the record cannot be read, which counts as a miss. */
function verdictOf({ packed, person: json }: CheckReply, { permission, ip }: CheckOptions): Verdict | null {
  const [, code, nowMs, apiKeyId, , mask, requests, window, label, limit, windowSeconds, remaining, resetMs, waitMs, ends, overlap, seen, flows, ranges, generation] = packed.split("|");
  const person = json ? parsePerson(json) : undefined;
  if (person === null) return null;
  const state: LimitState | null = label === "key" || label === "user" || label === "tenant" || label === "address"
    ? { label, limit: Number(limit), windowSeconds: Number(windowSeconds), remaining: Number(remaining), resetMs: Number(resetMs) } : null;
  // What stands against an address is nothing that a caller may spend.
  const headers = state && label !== "address" ? rateHeaders(state, Number(nowMs)) : {};
  const known = { headers, degraded: false, ...(apiKeyId && { apiKeyId }) };
  if (code === "ok" && person) {
    if (!apiKeyId) return { ok: true, person, permissions: Number(mask), ...known };
    return { ok: true, person, permissions: Number(mask), rateLimit: { requests: Number(requests), window: Number(window) }, chatflowIds: flows ? flows.split(",") : null, secretGeneration: Number(generation), ...(overlap && { earlierSecret: true }), ...known };
  }
  const error = refusal(code as RefusalCode, {
    headers, retryAfterSeconds: wholeSeconds(Number(waitMs)), permission, ip, atMs: Number(nowMs), expiresAtMs: Number(ends), overlapEndsAtMs: Number(overlap), ownerState: seen ?? "",
    ...(code === "ip" && { allowedIps: rangeTexts(ranges ?? "") }), ...(code === "permission" && { permissions: permissionsOf(Number(mask)) }), ...(state && { limit: state }),
  });
  return { ok: false, error, ...(person && { person }), ...known };
}

function refused(error: SluiceError): Verdict {
  return counted({ ok: false, error, headers: {}, degraded: false });
}
