import type { Context } from "@/lib/access";
import { callUpstream } from "@/lib/upstream";
import type { Run } from "./prepare";

/**
 * Flowise goes on computing for a caller who has left. Agentflows can be told to stop, other flows do not listen. Best effort:
 * nobody waits for the answer any more, and the conversation is closed until it has come.
 */
export async function abortRun(ctx: Context, run: Run): Promise<void> {
  if (run.flow.type !== "AGENTFLOW") return;
  const answer = await callUpstream(ctx, { engine: "flowise", method: "PUT", template: "/api/v1/chatmessage/abort/:id/:chatId", names: { id: run.flow.flowiseId, chatId: run.ids.upstream.chatId }, signal: AbortSignal.timeout(3000) }).catch(() => null);
  answer?.body.resume();
}
