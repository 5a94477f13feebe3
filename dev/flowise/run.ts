import { randomUUID } from "node:crypto";
import { credentialCanary, type Flow, promptCanary } from "./flows";

export type Question = { question?: unknown; chatId: string; sessionId: string; overrideConfig?: { vars?: unknown }; };
/** One event of a stream, in the words of its frame. */
export type Event = { event: string; data: unknown };

/** Turns per session and flow: what a conversation remembers. */
export class Memory {
  private readonly turns = new Map<string, number>();

  next(flow: Flow, sessionId: string): number {
    const key = `${flow.id}/${sessionId}`;
    const turn = (this.turns.get(key) ?? 0) + 1;
    this.turns.set(key, turn);
    return turn;
  }
}

/** Thrown by flows that fail; `after` events have been sent by then. */
export class FlowFailure extends Error {
  constructor(message: string, readonly after: Event[] = []) {
    super(message);
  }
}

export function answerTo(flow: Flow, asked: Question, memory: Memory): string {
  const question = String(asked.question ?? "");
  if (flow.behaviour === "no-streaming") return question.toUpperCase();
  if (flow.behaviour === "overrides") return `vars: ${JSON.stringify(asked.overrideConfig?.vars ?? null)}`;
  const turn = memory.next(flow, asked.sessionId);
  if (flow.behaviour === "agent") return `Draft for: ${question}`;
  return turn === 1 ? `You said: ${question}` : `(turn ${turn}) You said: ${question}`;
}

export function executed(flow: Flow, asked: Question, text: string | null) {
  const start = { nodeId: "startAgentflow_0", nodeLabel: "Start", data: { id: "startAgentflow_0", name: "startAgentflow", input: { question: asked.question }, output: { question: asked.question }, state: {} }, previousNodeIds: [], status: "FINISHED" };
  if (text === null) return [start];
  const llm = {
    nodeId: "llmAgentflow_0", nodeLabel: "LLM",
    data: { id: "llmAgentflow_0", name: "llmAgentflow", input: { messages: [{ role: "system", content: promptCanary }, { role: "user", content: asked.question }], llmModelConfig: { credential: credentialCanary, basepath: "http://models.internal:18080/v1" } }, output: { content: text }, state: {} },
    previousNodeIds: ["startAgentflow_0"], status: "FINISHED",
  };
  return [start, llm];
}

/** The plain answer's body. @throws FlowFailure */
export function plainAnswer(flow: Flow, asked: Question, memory: Memory): Record<string, unknown> {
  if (flow.behaviour === "breaks") throw new FlowFailure("Error: predictionsServices.buildChatflow - The model went away");
  if (flow.behaviour === "fails-early") throw new FlowFailure("Error: predictionsServices.buildChatflow - 401 Unauthorized – check your API key and ensure it has access to the requested model.");
  const text = answerTo(flow, asked, memory);
  const ids = { chatId: asked.chatId, chatMessageId: randomUUID() };
  if (flow.type === "AGENTFLOW") return { text, question: asked.question, ...ids, executionId: randomUUID(), agentFlowExecutedData: executed(flow, asked, text), sessionId: asked.sessionId };
  return { text, question: asked.question, ...ids, isStreamValid: false, sessionId: asked.sessionId, memoryType: "Buffer Memory" };
}

/** The events of a streamed answer, `end` excepted; `null` stands for silence without end. */
export function* streamedAnswer(flow: Flow, asked: Question, memory: Memory): Generator<Event | null> {
  if (flow.behaviour === "fails-early") {
    yield { event: "error", data: "401 Unauthorized – check your API key and ensure it has access to the requested model." };
    return;
  }
  const metadata = { event: "metadata", data: { chatId: asked.chatId, chatMessageId: randomUUID(), question: asked.question, sessionId: asked.sessionId, ...(flow.type === "CHATFLOW" && { memoryType: "Buffer Memory" }) } };
  if (flow.type === "AGENTFLOW") {
    const node = (nodeId: string, nodeLabel: string, status: string) => ({ event: "nextAgentFlow", data: { nodeId, nodeLabel, status } });
    yield { event: "agentFlowEvent", data: "INPROGRESS" };
    yield node("startAgentflow_0", "Start", "INPROGRESS");
    yield node("startAgentflow_0", "Start", "FINISHED");
    yield { event: "agentFlowExecutedData", data: executed(flow, asked, null) };
    yield node("llmAgentflow_0", "LLM", "INPROGRESS");
    yield { event: "token", data: "" };
    const text = answerTo(flow, asked, memory);
    for (const word of words(text)) yield { event: "token", data: word };
    yield { event: "token", data: "" };
    yield { event: "calledTools", data: [] };
    yield { event: "usageMetadata", data: { input_tokens: 5, output_tokens: words(text).length, total_tokens: 5 + words(text).length } };
    yield node("llmAgentflow_0", "LLM", "FINISHED");
    yield { event: "agentFlowExecutedData", data: executed(flow, asked, text) };
    yield { event: "agentFlowEvent", data: "FINISHED" };
    yield metadata;
    return;
  }
  yield { event: "start", data: "" };
  let sent = 0;
  for (const word of words(answerTo(flow, asked, memory))) {
    yield { event: "token", data: word };
    sent++;
    if (flow.behaviour === "breaks" && sent === 2) {
      yield { event: "error", data: "Error: predictionsServices.buildChatflow - The model went away" };
      return;
    }
    if (flow.behaviour === "half-silent") yield null;
  }
  yield metadata;
}

/** Words with the space that follows them: joined without separators they are the text again. */
function words(text: string): string[] {
  return text.match(/\S+\s*/g) ?? [];
}
