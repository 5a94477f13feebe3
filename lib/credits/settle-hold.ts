import { setTimeout as sleep } from "node:timers/promises";
import { noteEffect, noteLateEffect } from "@/lib/platform/attempts";
import { isSluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { unfinished } from "@/lib/platform/unfinished";
import { within } from "@/lib/platform/within";
import { type AnsweredCall, forgetAnswered, noteAnswered } from "./call-register";
import { endHoldAs, free } from "./end-hold";
import { callOf, type Hold } from "./hold-credits";

/** How long the end of an answer waits for PostgreSQL. */
const waitMsMax = 2000;
const retryMs = { first: 250, max: 5000 };

type End = AnsweredCall & { state: "settled" | "released"; /** Whether Redis knows, so that it happens even if this process dies. */ noted: boolean };

/**
 * The call was answered: what was held is spent. A named attempt notes that first, so that nobody pays for the same name twice.
 * While PostgreSQL does not answer, the call is noted in Redis and settled as soon as it does, here or by the job.
 *
 * @throws SluiceError `conflict` when another has taken the attempt over; then what was held is given back.
 */
export async function settleHold(hold: Hold): Promise<void> {
  if (hold.id === free) return;
  const call = callOf.get(hold);
  const settling = (async () => {
    await noteEffect(hold.attempt);
    return endHoldAs(hold.id, "settled");
  })();
  try {
    const ended = await within(waitMsMax, settling);
    if (ended && call) call.credits += hold.amount;
  } catch (error) {
    if (isSluiceError(error, "conflict")) {
      await releaseHold(hold);
      throw error;
    }
    if (call) call.credits += hold.amount;
    await endLater({ holdId: hold.id, attempt: hold.attempt, state: "settled", noted: false }, error);
  }
}

/** The call failed: what was held is given back, later when PostgreSQL is away. Never throws. */
export async function releaseHold(hold: Hold): Promise<void> {
  if (hold.id === free) return;
  await within(waitMsMax, endHoldAs(hold.id, "released")).catch((error: unknown) => endLater({ holdId: hold.id, state: "released", noted: true }, error));
}

/** Settles a call that was answered before, whoever answered it. */
export async function settleAnswered({ holdId, attempt }: AnsweredCall): Promise<void> {
  try {
    await noteLateEffect(attempt);
    await endHoldAs(holdId, "settled");
  } catch (error) {
    // Another call has taken the name over, and pays for it.
    if (!isSluiceError(error, "conflict")) throw error;
    await endHoldAs(holdId, "released");
  }
  await forgetAnswered(holdId);
}

const pending = new Map<string, End>();
let working: Promise<void> | undefined;

async function endLater(end: End, cause: unknown): Promise<void> {
  logger[pending.size === 0 ? "error" : "debug"]({ err: cause, holdId: end.holdId }, "PostgreSQL does not take the end of a call: its credits are booked later");
  await note(end);
  pending.set(end.holdId, end);
  if (working) return;
  working = untilNonePends().finally(() => { working = undefined; });
  unfinished(working);
}

async function note(end: End): Promise<void> {
  if (end.noted) return;
  await noteAnswered(end).then(() => { end.noted = true; }, (error: unknown) => logger.warn({ err: error, holdId: end.holdId }, "an answered call is known to this process alone until a store is back"));
}

async function untilNonePends(): Promise<void> {
  for (let waitMs = retryMs.first; pending.size > 0;) {
    await sleep(waitMs, undefined, { ref: false });
    const before = pending.size;
    await endPending();
    if (pending.size === 0) logger.info({ calls: before }, "credits of earlier calls are booked");
    waitMs = pending.size < before ? retryMs.first : Math.min(waitMs * 2, retryMs.max);
  }
}

/** In turn, up to the first that fails: the others would fail as well. */
async function endPending(): Promise<void> {
  for (const end of [...pending.values()]) {
    try {
      await (end.state === "settled" ? settleAnswered(end) : endHoldAs(end.holdId, "released"));
      pending.delete(end.holdId);
    } catch (error) {
      logger.debug({ err: error, holdId: end.holdId }, "credits are still not booked");
      for (const other of pending.values()) await note(other);
      return;
    }
  }
}
