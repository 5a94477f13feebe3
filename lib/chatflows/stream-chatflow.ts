import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Context, hasPermission } from "@/lib/access";
import { type Hold, holdCredits, releaseHold, settleHold } from "@/lib/credits";
import { SluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { unfinished } from "@/lib/platform/unfinished";
import { callUpstream, readJson, translated, type UpstreamAnswer } from "@/lib/upstream";
import { abortRun } from "./abort-run";
import { flowiseFailure, refusedByFlowise } from "./flowise-failures";
import { frameBytesMax, FrameFilter, frameOf, parseFrame } from "./frames";
import { asPrediction, prepareRun, type Run } from "./prepare";
import { cleanAnswer, predict, type PredictionAnswer } from "./run-chatflow";
import type { PredictInput, PredictionInput } from "./schemas";
import { lockConversation } from "./stream-lock";

/** A stream to be piped to the caller. `done` resolves when its credits are settled or released. */
export type StreamedAnswer = { status: number; headers: Record<string, string>; body: Readable; hold: Hold; done: Promise<void> };

/** `no-transform`: whoever compresses on the way would hold pieces back until they are worth it. */
const eventStream = { "content-type": "text/event-stream", "cache-control": "no-store, no-transform", "x-accel-buffering": "no" };

/** Streams a chatflow in Flowise's events; one that cannot stream is run, and its answer comes as one token. */
export async function streamChatflow(ctx: Context, input: PredictInput, signal?: AbortSignal): Promise<StreamedAnswer> {
  const run = await prepareRun(ctx, input.chatflow_id, asPrediction(input));
  if (run.flow.canStream) {
    const answer = await stream(ctx, run, signal);
    return answer.kind === "stream" ? answer.stream : asFrames(answer.plain);
  }
  return asFrames(await predict(ctx, run, signal));
}

/** Flowise's own door with `streaming: true`: what cannot stream answers its JSON, as Flowise does. */
export async function streamPrediction(ctx: Context, flowiseId: string, input: PredictionInput, signal?: AbortSignal): Promise<{ kind: "stream"; stream: StreamedAnswer } | { kind: "json"; plain: PredictionAnswer }> {
  const run = await prepareRun(ctx, flowiseId, input);
  // Flowise leaves a failing call that asked for a stream without any reply: what cannot stream is not asked to.
  return run.flow.canStream ? stream(ctx, run, signal) : { kind: "json", plain: await predict(ctx, run, signal) };
}

function asFrames({ data, hold }: PredictionAnswer): StreamedAnswer {
  const { text, json, chatId, chatMessageId, question, sessionId } = data;
  const token = typeof text === "string" ? text : JSON.stringify(json ?? text ?? "");
  const frames = [frameOf("token", token), frameOf("metadata", { chatId, chatMessageId, question, sessionId }), frameOf("end", "[DONE]")];
  return { status: 200, headers: eventStream, body: Readable.from(frames), hold, done: Promise.resolve() };
}

async function stream(ctx: Context, run: Run, signal?: AbortSignal): Promise<{ kind: "stream"; stream: StreamedAnswer } | { kind: "json"; plain: PredictionAnswer }> {
  const unlock = await lockConversation(run.flow.flowiseId, run.ids.upstream.chatId);
  let hold: Hold | undefined;
  let isAtWork = false;
  try {
    hold = await holdCredits(ctx, { amount: run.flow.costCredits, chatflowId: run.flow.id });
    const answer = await callUpstream(ctx, { engine: "flowise", needs: "ai:predict", method: "POST", template: "/api/v1/prediction/:id", names: { id: run.flow.flowiseId }, boundKey: run.boundKey, body: { ...run.body, streaming: true }, stream: true, signal, onWork: (may) => { isAtWork = may; } });
    if (answer.status >= 300) throw await flowiseFailure(answer);
    // By the answer's type, not by what was asked for.
    if (!/^text\/event-stream/i.test(answer.headers["content-type"] ?? "")) {
      const data = cleanAnswer(ctx, run, await readJson(answer));
      await settleHold(hold);
      await unlock();
      return { kind: "json", plain: { data, hold } };
    }
    const first = await firstPiece(answer);
    return { kind: "stream", stream: relay(ctx, run, { answer, first, hold, unlock, signal }) };
  } catch (error) {
    const left = signal?.aborted === true && isAtWork;
    try {
      if (left) await abortRun(ctx, run);
      if (hold) await (left ? settleHold(hold) : releaseHold(hold));
    } finally {
      await unlock();
    }
    throw error;
  }
}

/**
 * Waits for the first frame or comment, so that a failure which comes before anything was sent is a status and not a
 * frame. What has come goes out at once.
 */
async function firstPiece(answer: UpstreamAnswer): Promise<Buffer> {
  let seen = Buffer.alloc(0);
  try {
    while (!seen.includes("\n\n")) {
      const chunk = await nextChunk(answer.body);
      if (chunk === null) break;
      seen = Buffer.concat([seen, chunk]);
      if (seen.length > frameBytesMax) throw new SluiceError("upstream_error", "Flowise's first event is too large.");
    }
  } catch (error) {
    answer.body.destroy();
    throw translated(error, answer.request);
  }
  if (seen.length === 0) throw new SluiceError("upstream_error", "Flowise ended the stream before it began.");
  // Heartbeats come by a clock of the server's own, so one may be there before the failure.
  const first = seen.toString("utf8").split("\n\n").slice(0, -1).map(parseFrame).find((frame) => frame !== null);
  if (first?.event === "error") {
    answer.body.destroy();
    throw refusedByFlowise(String(first.data));
  }
  return seen;
}

function nextChunk(body: Readable): Promise<Buffer | null> {
  return new Promise((done, fail) => {
    const settle = () => {
      body.off("readable", look);
      body.off("end", ended);
      body.off("error", failed);
      body.off("close", ended);
    };
    const look = () => {
      const chunk = body.read() as Buffer | null;
      if (chunk === null) return;
      settle();
      done(chunk);
    };
    const ended = () => { settle(); done(null); };
    const failed = (error: Error) => { settle(); fail(error); };
    body.on("readable", look).on("end", ended).on("error", failed).on("close", ended);
    look();
  });
}

type Open = { answer: UpstreamAnswer; first: Buffer; hold: Hold; unlock: () => Promise<void>; signal?: AbortSignal };

function relay(ctx: Context, run: Run, { answer, first, hold, unlock, signal }: Open): StreamedAnswer {
  const out = new PassThrough();
  const leave = () => out.destroy();
  signal?.addEventListener("abort", leave, { once: true });

  let finishing: Promise<void> | undefined;
  /** Settles or releases, and frees the conversation, once. */
  const finish = () => (finishing ??= (async () => {
    const { token, error, end } = filter.seen;
    try {
      await (token || out.destroyed || (end && !error) ? settleHold(hold) : releaseHold(hold));
    } finally {
      // Whatever the ledger says, the conversation must not stay closed; an unended hold is released by the job.
      await unlock();
    }
  })().catch((error: unknown) => logger.error({ err: error, requestId: ctx.requestId }, "a stream could not be settled")));
  // Whoever has seen the end may look at their credits and ask the next question at once.
  const filter = new FrameFilter({ ids: run.ids, showExecuted: hasPermission(ctx, "ai:admin"), beforeEnd: finish });
  filter.write(first);

  const done = (async () => {
    try {
      await pipeline(answer.body, filter, out, { end: false });
    } catch (error) {
      if (!out.destroyed) {
        logger.info({ err: translated(error, answer.request), requestId: ctx.requestId }, "a stream broke off");
        filter.seen.error = true;
        await finish();
        // In Flowise's own words for a stream that fails, so that its clients understand.
        out.write(Buffer.concat([frameOf("error", "The stream broke off."), frameOf("end", "[DONE]")]));
      }
    }
    const left = out.destroyed && !filter.seen.end;
    // Before the conversation is free again: an abort names it, and would end the run of whoever asks next.
    if (left) await abortRun(ctx, run);
    await finish();
    if (!out.destroyed) out.end();
    answer.body.destroy();
    signal?.removeEventListener("abort", leave);
  })();

  unfinished(done);
  return { status: 200, headers: eventStream, body: out, hold, done };
}
