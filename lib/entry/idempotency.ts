import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { actorRef, type Context } from "@/lib/access";
import { claimAttempt, endFailedAttempt, keepAnswer, type KeptAnswer, keptBytesMax } from "@/lib/platform/attempts";
import { sha256Hex } from "@/lib/platform/crypto";
import { invalid } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { within } from "@/lib/platform/within";
import type { ApiContext } from "./api";
import { requestHeader, setHeader } from "./headers";
import { withoutShownOnce } from "./shown-once";

/** What belongs to an answer beside its body. Limits and request ids are each call's own. */
const keptHeaders = ["content-type", "location", "x-credits-held", "x-credits-remaining"];

const writeMsMax = 2000;

/** @throws SluiceError `validation_failed` for what is not 1 to 255 visible ASCII characters */
export function idempotencyKeyOf(c: ApiContext): string | null {
  const key = requestHeader(c, "idempotency-key");
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw invalid([{ pointer: "/header/Idempotency-Key", detail: "must be 1 to 255 visible ASCII characters" }]);
  return key;
}

/**
 * Runs a call once under the name that its caller gave it (HTTP contract, section 2; what is remembered, see README.md).
 * The name belongs to who calls: a key's are not its owner's, so that a narrow key cannot read what its owner was answered.
 *
 * @throws SluiceError `idempotency_conflict`, `conflict`, and what `run` throws
 */
export async function onceByName(c: ApiContext, ctx: Context, call: { key: string; body: string }, run: (ctx: Context) => Promise<Response> | Response): Promise<Response> {
  const { type, id } = actorRef(ctx);
  const fingerprint = sha256Hex([c.req.method, c.req.path, new URL(c.req.url).search, call.body].join("\n"));
  const claimed = await claimAttempt({ tenantId: ctx.tenantId, owner: `${type}:${id ?? ""}`, key: call.key, fingerprint });
  if (claimed.kind === "answered") return again(c, claimed.answer);
  const { attempt } = claimed;
  let answer: Response;
  try {
    answer = await run({ ...ctx, attempt });
  } catch (error) {
    await within(writeMsMax, endFailedAttempt(attempt)).catch(logged);
    throw error;
  }
  // The work is done: that its answer cannot be kept must not fail the call. Until its lease is over, the name is then in use.
  // Nor may a database that is frozen keep the caller waiting for it.
  await within(writeMsMax, answer.status < 400 ? answerToKeep(c, answer).then((kept) => keepAnswer(attempt, kept)) : endFailedAttempt(attempt)).catch(logged);
  return answer;
}

function logged(error: unknown): void {
  logger.warn({ err: error }, "the end of a named attempt could not be written");
}

/** Null for a stream, and for what is too large. */
async function answerToKeep(c: ApiContext, answer: Response): Promise<KeptAnswer | null> {
  if (answer === RESPONSE_ALREADY_SENT || answer.headers.get("content-type")?.startsWith("text/event-stream")) return null;
  const body = withoutShownOnce(await answer.clone().text());
  if (Buffer.byteLength(body) > keptBytesMax || body.includes("\0")) return null;
  const headers = Object.fromEntries(keptHeaders.flatMap((name) => {
    const value = answer.headers.get(name) ?? c.env?.outgoing?.getHeader(name);
    return value === undefined ? [] : [[name, String(value)]];
  }));
  return { status: answer.status, headers, body };
}

function again(c: ApiContext, { status, headers, body }: KeptAnswer): Response {
  const { "content-type": type, ...others } = headers;
  for (const [name, value] of Object.entries(others)) setHeader(c, name, value);
  setHeader(c, "Idempotency-Replayed", "true");
  return c.body(body, status as 200, type ? { "Content-Type": type } : {});
}
