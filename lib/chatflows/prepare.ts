import { type Context, requirePermission, requirePerson } from "@/lib/access";
import { boundKeyOf } from "./bound-keys";
import { type ConversationIds, conversationIds } from "./conversation-ids";
import { requireAssigned, type RunnableChatflow } from "./list-chatflows";
import type { PredictInput, PredictionInput } from "./schemas";

/** A run that may be made: the chatflow, and the body that goes to Flowise. */
export type Run = { flow: RunnableChatflow; ids: ConversationIds; body: Record<string, unknown>; boundKey?: string };

/** Permission, assignment and the body, before anything is spent. @throws SluiceError `insufficient_permission`, `not_found` */
export async function prepareRun(ctx: Context, flowiseId: string, input: PredictionInput): Promise<Run> {
  requirePermission(ctx, "ai:predict");
  const person = requirePerson(ctx);
  const flow = await requireAssigned(ctx, flowiseId);
  const { sessionId, ...overrides } = input.overrideConfig ?? {};
  const ids = conversationIds(person, { chatId: input.chatId, sessionId: typeof sessionId === "string" ? sessionId : undefined });
  // Only what the contract names travels. Overrides reach into the flow's nodes, uploads by URL into the engine's network.
  const uploads = input.uploads?.filter((upload) => flow.allowOverride || upload.type !== "url");
  const body = {
    question: input.question, history: input.history, form: input.form, humanInput: input.humanInput, action: input.action, leadEmail: input.leadEmail, uploads,
    chatId: ids.upstream.chatId, overrideConfig: { ...(flow.allowOverride ? overrides : {}), sessionId: ids.upstream.sessionId },
  };
  return { flow, ids, body, boundKey: await boundKeyOf(flow) };
}

/** The older client's words in Flowise's. */
export function asPrediction(input: PredictInput): PredictionInput {
  const sessionId = input.sessionId ?? input.session_id;
  return {
    question: input.question?.trim() ? input.question : (input.input ?? input.question), history: input.history, uploads: input.uploads,
    overrideConfig: sessionId === undefined ? input.overrideConfig : { ...input.overrideConfig, sessionId },
  };
}
