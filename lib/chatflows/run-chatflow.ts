import { type Context, hasPermission, requirePerson } from "@/lib/access";
import { type Hold, holdCredits, releaseHold, settleHold } from "@/lib/credits";
import { SluiceError } from "@/lib/platform/errors";
import { callUpstream, readJson } from "@/lib/upstream";
import { abortRun } from "./abort-run";
import { withGivenIds } from "./conversation-ids";
import { flowiseFailure } from "./flowise-failures";
import { asPrediction, prepareRun, type Run } from "./prepare";
import type { PredictAnswer, PredictInput, PredictionInput } from "./schemas";

/** Flowise's JSON with the caller's ids, and what was held for it. */
export type PredictionAnswer = { data: Record<string, unknown>; hold: Hold };

/**
 * Runs a chatflow and waits for its answer, in the older client's shape.
 *
 * @throws SluiceError `insufficient_permission`, `not_found` (not assigned), `out_of_credits`, `upstream_*`, and what getting
 *   the person's token throws. Nothing is spent then.
 */
export async function runChatflow(ctx: Context, input: PredictInput): Promise<PredictAnswer> {
  return (await predictOnce(ctx, input)).answer;
}

/** The same with the hold, for the headers of the HTTP door. */
export async function predictOnce(ctx: Context, input: PredictInput, signal?: AbortSignal): Promise<{ answer: PredictAnswer; hold: Hold }> {
  const run = await prepareRun(ctx, input.chatflow_id, asPrediction(input));
  const { data, hold } = await predict(ctx, run, signal);
  return { answer: predictAnswer(ctx, run, hold, data), hold };
}

/** Flowise's own door. */
export async function runPrediction(ctx: Context, flowiseId: string, input: PredictionInput, signal?: AbortSignal): Promise<PredictionAnswer> {
  return predict(ctx, await prepareRun(ctx, flowiseId, input), signal);
}

/** Hold, call, settle; released when the call fails, settled when the caller left with the engine at work for them. */
export async function predict(ctx: Context, run: Run, signal?: AbortSignal): Promise<PredictionAnswer> {
  const hold = await holdCredits(ctx, { amount: run.flow.costCredits, chatflowId: run.flow.id });
  let isAtWork = false;
  try {
    const answer = await callUpstream(ctx, { engine: "flowise", needs: "ai:predict", method: "POST", template: "/api/v1/prediction/:id", names: { id: run.flow.flowiseId }, boundKey: run.boundKey, body: { ...run.body, streaming: false }, slow: true, signal, onWork: (may) => { isAtWork = may; } });
    if (answer.status >= 300) throw await flowiseFailure(answer);
    const data = cleanAnswer(ctx, run, await readJson(answer));
    await settleHold(hold);
    return { data, hold };
  } catch (error) {
    if (!signal?.aborted || !isAtWork) await releaseHold(hold);
    else {
      await settleHold(hold);
      await abortRun(ctx, run);
    }
    throw error;
  }
}

/** Without what shows prompts and credential ids, unless the caller manages flows; with the caller's own ids. */
export function cleanAnswer(ctx: Context, run: Run, json: unknown): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new SluiceError("upstream_error", "The chatflow's answer is not what Flowise's contract says.");
  const { agentFlowExecutedData, ...rest } = json as Record<string, unknown>;
  return withGivenIds({ ...rest, ...(hasPermission(ctx, "ai:admin") && agentFlowExecutedData !== undefined && { agentFlowExecutedData }) }, run.ids);
}

export function predictAnswer(ctx: Context, run: Run, hold: Hold, data: Record<string, unknown>): PredictAnswer {
  const { chatMessageId } = data;
  return {
    response: data.text ?? data.json ?? "",
    credits_used: hold.amount,
    metadata: {
      chatflow_id: run.flow.flowiseId, cost: hold.amount, remaining_credits: hold.remaining, user: requirePerson(ctx).username, streaming: false,
      sessionId: run.ids.given.sessionId, ...(typeof chatMessageId === "string" && { chatMessageId }),
    },
  };
}
