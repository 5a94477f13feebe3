"use client";

import { useCallback, useRef, useState } from "react";
import { runChatflowAction } from "../../actions";
import { readFrames } from "./read-frames";

export type Failure = { title: string; detail: string; code?: string; requestId?: string };
export type Turn = { id: string; question: string; answer: string; state: "waiting" | "streaming" | "done" | "stopped" | "failed"; /** Where the flow is, while nothing has come. */ progress?: string; note?: string; failure?: Failure };

/** What is left after an answer, and what it cost: credits, where the answer told. */
type OnCredits = (remaining: number, cost: number | null) => void;

const offline: Failure = { title: "No answer", detail: "The portal did not answer. Check your connection and try again." };

/** One conversation with one chatflow: its turns, and what sending, stopping and starting over do to them. */
export function useConversation(chatflowId: string, onCredits: OnCredits) {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [isBusy, setBusy] = useState(false);
  const session = useRef<string | null>(null);
  const running = useRef<AbortController | null>(null);

  const change = useCallback((id: string, with_: (turn: Turn) => Partial<Turn>) => {
    setTurns((all) => all.map((turn) => (turn.id === id ? { ...turn, ...with_(turn) } : turn)));
  }, []);

  async function send(question: string, isStreaming: boolean): Promise<void> {
    const id = crypto.randomUUID();
    const controller = new AbortController();
    running.current = controller;
    session.current ??= crypto.randomUUID();
    setBusy(true);
    setTurns((all) => [...all, { id, question, answer: "", state: "waiting" }]);
    const ask = { chatflow_id: chatflowId, question, sessionId: session.current };
    try {
      const failure = isStreaming ? await stream(ask, controller.signal, (with_) => change(id, with_), onCredits) : await plain(ask, controller.signal, (with_) => change(id, with_), onCredits);
      change(id, (turn) => (controller.signal.aborted ? { state: "stopped" } : failure ? { state: "failed", failure } : { state: "done", note: turn.note ?? (turn.answer ? undefined : "The chatflow ended without an answer.") }));
    } catch {
      change(id, () => (controller.signal.aborted ? { state: "stopped" } : { state: "failed", failure: offline }));
    } finally {
      if (running.current === controller) { running.current = null; setBusy(false); }
    }
  }

  function stop(): void {
    running.current?.abort();
  }

  function startOver(): void {
    stop();
    session.current = null;
    setTurns([]);
  }

  return { turns, isBusy, send, stop, startOver };
}

type Ask = { chatflow_id: string; question: string; sessionId: string };
type Change = (with_: (turn: Turn) => Partial<Turn>) => void;

async function plain(ask: Ask, signal: AbortSignal, change: Change, onCredits: OnCredits): Promise<Failure | null> {
  const result = await runChatflowAction(ask);
  if (!result.ok) return result.problem;
  onCredits(result.data.metadata.remaining_credits, result.data.metadata.cost);
  // An action cannot be called back; stopping means that its answer is no longer wanted.
  if (!signal.aborted) change(() => ({ answer: textOf(result.data.response) }));
  return null;
}

async function stream(ask: Ask, signal: AbortSignal, change: Change, onCredits: OnCredits): Promise<Failure | null> {
  const answer = await fetch("/api/v1/chat/predict/stream", { method: "POST", signal, headers: { "content-type": "application/json", accept: "text/event-stream" }, body: JSON.stringify(ask) });
  const [remaining, held] = ["x-credits-remaining", "x-credits-held"].map((name) => Number.parseInt(answer.headers.get(name) ?? "", 10));
  if (remaining !== undefined && Number.isFinite(remaining)) onCredits(remaining, held !== undefined && Number.isFinite(held) ? held : null);
  if (!answer.ok || !answer.body) return ((await answer.json().catch(() => null)) as Failure | null) ?? offline;
  let failure: Failure | null = null;
  for await (const { event, data } of readFrames(answer.body)) {
    if (event === "token") change((turn) => ({ answer: turn.answer + textOf(data), state: "streaming" }));
    else if (event === "error") failure = { title: "The chatflow failed", detail: textOf(data) };
    else if (event === "nextAgentFlow" && isRecord(data) && typeof data.nodeLabel === "string") change(() => ({ progress: data.nodeLabel as string }));
    else if (event === "action") change(() => ({ note: "The chatflow waits for a decision that can only be given in Flowise’s own chat." }));
    else if (event === "end") break;
  }
  return failure;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (isRecord(value) && typeof value.text === "string") return value.text;
  return value === undefined || value === null ? "" : JSON.stringify(value, null, 2);
}
