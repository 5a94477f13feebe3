import { randomUUID } from "node:crypto";
import type { Flow } from "./flows";

export type Conversation = { chatId: string; sessionId: string };

/** A row of `GET /chatmessage/:chatflowId`. */
export type Message = {
  id: string; role: "userMessage" | "apiMessage"; chatflowid: string; executionId: string | null; content: string; sourceDocuments: null; usedTools: null; fileAnnotations: null;
  agentReasoning: null; reasonContent: null; fileUploads: null; artifacts: null; action: null; chatType: "EXTERNAL"; chatId: string; memoryType: string | null; sessionId: string;
  createdDate: string; leadEmail: null; followUpPrompts: null; execution: null;
};

/** Beyond this many the oldest messages go, so that a long load test does not eat the memory. */
const messagesMax = 20_000;

/** What was said to the flows, kept in memory. It is also what a flow remembers of a session. */
export class ChatLog {
  private messages: Message[] = [];
  private readonly turns = new Map<string, number>();

  /** How many questions of this session the flow has answered. */
  turnsOf(flow: Flow, sessionId: string): number {
    return this.turns.get(`${flow.id}/${sessionId}`) ?? 0;
  }

  /** Keeps a question and its answer, whether or not somebody still waits for it. @returns the answer's id. */
  store(flow: Flow, { chatId, sessionId }: Conversation, question: string, answer: string, executionId: string | null): string {
    const row = (role: Message["role"], content: string): Message => ({
      id: randomUUID(), role, chatflowid: flow.id, executionId, content, sourceDocuments: null, usedTools: null, fileAnnotations: null, agentReasoning: null, reasonContent: null,
      fileUploads: null, artifacts: null, action: null, chatType: "EXTERNAL", chatId, memoryType: flow.type === "AGENTFLOW" ? null : "Buffer Memory", sessionId,
      createdDate: new Date().toISOString(), leadEmail: null, followUpPrompts: null, execution: null,
    });
    const reply = row("apiMessage", answer);
    this.messages.push(row("userMessage", question), reply);
    if (this.messages.length > messagesMax) this.messages.splice(0, this.messages.length - messagesMax);
    this.turns.set(`${flow.id}/${sessionId}`, this.turnsOf(flow, sessionId) + 1);
    return reply.id;
  }

  /** A bare list, also when it is paged. */
  list(flow: Flow, query: URLSearchParams): Message[] {
    const wanted = (name: string, value: string | null) => !query.has(name) || query.get(name) === value;
    const found = this.messages.filter((m) =>
      m.chatflowid === flow.id && wanted("chatType", m.chatType) && wanted("chatId", m.chatId) && wanted("sessionId", m.sessionId) && wanted("memoryType", m.memoryType) && wanted("messageId", m.id)
      && Date.parse(m.createdDate) >= instant(query.get("startDate"), -Infinity) && Date.parse(m.createdDate) <= instant(query.get("endDate"), Infinity));
    if (query.get("order")?.toUpperCase() === "DESC") found.reverse();
    const [page, limit] = [Number(query.get("page")), Number(query.get("limit"))];
    return page >= 1 && limit >= 1 ? found.slice((page - 1) * limit, page * limit) : found;
  }

  /** Forgets one chat, or all chats of the flow, and with them what the flow remembers. @returns how many messages went. */
  remove(flow: Flow, chatId: string | null): number {
    const going = this.messages.filter((m) => m.chatflowid === flow.id && (chatId === null || m.chatId === chatId));
    for (const { sessionId } of going) this.turns.delete(`${flow.id}/${sessionId}`);
    const gone = new Set(going);
    this.messages = this.messages.filter((m) => !gone.has(m));
    return gone.size;
  }
}

/** A broken or missing date does not narrow the list. */
function instant(text: string | null, otherwise: number): number {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? otherwise : at;
}
