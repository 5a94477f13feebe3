import { randomUUID } from "node:crypto";
import type { Person } from "@/lib/access";
import { nameId } from "@/lib/platform/ids";

/** Made once for this purpose; another one would cut every person off from their earlier conversations. */
const sluiceNamespace = "5b0c1f3e-6f0e-5c7b-9d41-2f6c6c1f7a90";

/** A conversation's ids as the caller knows them, and as Flowise does. */
export type ConversationIds = { given: { chatId: string; sessionId: string }; upstream: { chatId: string; sessionId: string } };

/**
 * Flowise keys its memory and its streams by ids that anybody may choose. Each goes upstream as the UUIDv5 of the person and
 * the id, so that two people who use the same one never meet, and a guessed one reaches nobody's conversation.
 */
export function conversationIds(person: Pick<Person, "issuer" | "sub">, asked: { chatId?: string; sessionId?: string }): ConversationIds {
  const namespace = nameId(`${person.issuer}\n${person.sub}`, sluiceNamespace);
  const chatId = asked.chatId ?? asked.sessionId ?? randomUUID();
  const sessionId = asked.sessionId ?? chatId;
  return { given: { chatId, sessionId }, upstream: { chatId: nameId(chatId, namespace), sessionId: nameId(sessionId, namespace) } };
}

/** Gives the caller their own ids back, in an answer or a `metadata` event. */
export function withGivenIds(data: Record<string, unknown>, ids: ConversationIds): Record<string, unknown> {
  return { ...data, ...("chatId" in data && { chatId: ids.given.chatId }), ...("sessionId" in data && { sessionId: ids.given.sessionId }) };
}
