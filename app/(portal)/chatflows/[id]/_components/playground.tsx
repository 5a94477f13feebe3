"use client";

import { ArrowUp, MessagesSquare, RotateCcw, Square } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Button } from "@/app/_components/ui/button";
import { Card } from "@/app/_components/ui/card";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { Gauge } from "@/app/_components/ui/gauge";
import { Label } from "@/app/_components/ui/label";
import { Switch } from "@/app/_components/ui/switch";
import { Textarea } from "@/app/_components/ui/textarea";
import { TurnView } from "./turn-view";
import { useConversation } from "./use-conversation";

type PlaygroundProps = { chatflowId: string; name: string; canStream: boolean; /** Credits available, or null where the balance could not be read. */ credits: { available: number; total: number } | null };

/** Talks to one chatflow as the person who is signed in. */
export function Playground({ chatflowId, name, canStream, credits }: PlaygroundProps) {
  const [remaining, setRemaining] = useState(credits?.available ?? null);
  const [cost, setCost] = useState<number | null>(null);
  const [isStreaming, setStreaming] = useState(canStream);
  const [question, setQuestion] = useState("");
  const { turns, isBusy, send, stop, startOver } = useConversation(chatflowId, (left, spent) => { setRemaining(left); setCost(spent); });
  const input = useRef<HTMLTextAreaElement>(null);
  const log = useRef<HTMLDivElement>(null);
  const id = useId();

  // Follows the answer as long as the reader has not scrolled up to read something else.
  const isFollowing = useRef(true);
  useEffect(() => {
    if (isFollowing.current) log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [turns]);

  function submit(event?: FormEvent) {
    event?.preventDefault();
    const text = question.trim();
    if (!text || isBusy) return;
    setQuestion("");
    isFollowing.current = true;
    void send(text, isStreaming).finally(() => input.current?.focus());
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event as unknown as FormEvent);
    if (event.key === "Escape" && isBusy) stop();
  }

  return (
    <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_17rem]">
      <Card className="flex h-[max(26rem,calc(100dvh-17rem))] flex-col">
        <div ref={log} role="log" aria-label={`Conversation with ${name}`} tabIndex={0} onScroll={({ currentTarget: box }) => { isFollowing.current = box.scrollHeight - box.scrollTop - box.clientHeight < 48; }} className="min-h-0 flex-1 overflow-y-auto focus-visible:-outline-offset-2">
          {turns.length === 0
            ? <EmptyState icon={MessagesSquare} title={`Ask ${name} something`} className="grid h-full content-center">You talk to it as yourself, with your own access. Enter sends, Shift and Enter starts a new line.</EmptyState>
            : <ol className="space-y-6 p-5">{turns.map((turn) => <TurnView key={turn.id} turn={turn} />)}</ol>}
        </div>
        <form onSubmit={submit} className="flex items-end gap-2 border-t p-3">
          <Textarea ref={input} aria-label="Your question" placeholder="Your question" rows={1} maxLength={20_000} value={question} onChange={(event) => setQuestion(event.target.value)} onKeyDown={onKeyDown} className="field-sizing-content max-h-40 min-h-10 flex-1 resize-none" />
          {isBusy && isStreaming
            ? <Button size="icon" variant="secondary" aria-label="Stop the answer" className="size-10" onClick={stop}><Square aria-hidden className="fill-current" /></Button>
            : <Button type="submit" size="icon" aria-label="Send" disabled={isBusy || question.trim() === ""} className="size-10"><ArrowUp aria-hidden /></Button>}
        </form>
      </Card>
      <Card className="h-fit divide-y">
        <div className="p-4">
          <p className="text-xs text-muted">Credits left</p>
          <p className="mt-0.5 text-2xl font-semibold tracking-tight tabular-nums" aria-live="polite">{remaining === null ? "unknown" : remaining.toLocaleString("en")}</p>
          {remaining !== null && credits && <Gauge className="mt-2" label="Credits left" value={remaining} reach={credits.total} />}
          <p className="mt-2 min-h-5 text-[0.8125rem] text-muted">{cost !== null && `The last answer cost ${cost === 1 ? "1 credit" : `${cost} credits`}.`}</p>
        </div>
        <div className="flex items-center justify-between gap-3 p-4">
          <Label htmlFor={`${id}-stream`}>Show the answer as it comes</Label>
          <Switch id={`${id}-stream`} checked={isStreaming} onCheckedChange={setStreaming} disabled={isBusy} />
        </div>
        <div className="p-4"><Button variant="secondary" className="w-full" onClick={startOver} disabled={turns.length === 0}><RotateCcw aria-hidden />New conversation</Button></div>
      </Card>
    </div>
  );
}
