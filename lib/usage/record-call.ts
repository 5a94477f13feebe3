import { logger } from "@/lib/platform/logger";
import { redis } from "@/lib/platform/redis";
import { unfinished } from "@/lib/platform/unfinished";
import { type EndedCall, packCall } from "./call-record";
import { decisionOf, type Refusal, saveDecisions } from "./decisions";
import { describedMax, usageStream } from "./stream";

/** With the writing itself, a killed process loses less than 50 ms. One write for all calls of that time, so at most forty a second. */
const flushEveryMs = 25;
/** A full buffer does not wait for the clock. */
const flushAt = 500;
/** While Redis is away; older calls are forgotten first. */
const keptMax = 10_000;
const perEntry = 200;

/** A call as it is written. */
type Written = { row: unknown[]; refusals: Refusal[] };

let ended: EndedCall[] = [];
/** What could not be sent. No longer with what the calls failed with, which may be as large as what they were sent. */
let waiting: Written[] = [];
let planned = false;
let streamIsFull = false;

/**
 * Keeps a call that has ended until the next writing, 25 ms at most. It costs its caller a push: nothing is
 * packed, sent or waited for here. A process that is killed loses what it has not written; one that stops writes it.
 */
export function recordCall(call: EndedCall): void {
  ended.push(call);
  if (ended.length === flushAt) setImmediate(() => void flushCalls());
  if (planned) return;
  planned = true;
  unfinished(new Promise<void>((done) => {
    setTimeout(() => {
      planned = false;
      void flushCalls().finally(done);
    }, flushEveryMs).unref();
  }));
}

/** Writes what has been kept: the calls to the stream, the decisions of the refused ones beside it. Never throws. */
export async function flushCalls(): Promise<void> {
  if (ended.length === 0 && waiting.length === 0) return;
  const calls = [...waiting, ...ended.map((call): Written => ({ row: packCall(call), refusals: decisionOf(call) }))];
  ended = [];
  waiting = [];
  if (redis().status !== "ready") {
    // Nothing was sent, so it may be sent later. What fails after this point may have arrived, and twice is worse than never.
    waiting = calls.slice(-keptMax);
    return;
  }
  try {
    await Promise.all([describe(calls), saveDecisions(calls.flatMap(({ refusals }) => refusals))]);
  } catch (error) {
    logger.warn({ err: error, calls: calls.length }, "ended calls could not be written down");
  }
}

async function describe(calls: Written[]): Promise<void> {
  const batch = redis().pipeline();
  for (let from = 0; from < calls.length && !streamIsFull; from += perEntry) batch.xadd(usageStream, "*", "l", JSON.stringify(calls.slice(from, from + perEntry).map(({ row }) => row)));
  batch.xlen(usageStream);
  const answers = (await batch.exec()) ?? [];
  const failure = answers.find(([error]) => error)?.[0];
  if (failure) throw failure;
  const length = Number(answers.at(-1)?.[1]);
  if (streamIsFull !== length > describedMax) logger[streamIsFull ? "info" : "error"]({ entries: length }, streamIsFull ? "calls are logged again" : "no worker folds usage: calls are counted, not logged");
  streamIsFull = length > describedMax;
}
