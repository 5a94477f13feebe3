"use client";

import Link from "next/link";
import { Notice } from "@/app/_components/ui/notice";
import { CopyButton } from "@/app/_components/ui/copy-button";
import { RequestReference } from "@/app/_components/ui/request-reference";
import type { Failure, Turn } from "./use-conversation";

export function TurnView({ turn }: { turn: Turn }) {
  const isOpen = turn.state === "waiting" || turn.state === "streaming";
  return (
    <li className="space-y-3">
      <p className="ml-auto w-fit max-w-[85%] rounded-lg rounded-br-sm bg-primary-soft px-4 py-2.5 text-sm wrap-anywhere whitespace-pre-wrap text-foreground"><span className="sr-only">You: </span>{turn.question}</p>
      <div className="group max-w-[92%] text-sm leading-relaxed" aria-busy={isOpen}>
        <span className="sr-only">Chatflow: </span>
        {turn.answer && <p className="wrap-anywhere whitespace-pre-wrap">{turn.answer}{turn.state === "streaming" && <span aria-hidden className="ml-0.5 inline-block h-4 w-0.5 translate-y-0.5 animate-pulse bg-primary" />}</p>}
        {turn.state === "waiting" && !turn.answer && <Waiting at={turn.progress} />}
        {!isOpen && turn.note && <p className="text-muted">{turn.note}</p>}
        {turn.state === "stopped" && <p className="mt-1 text-xs text-muted">You stopped this answer.</p>}
        {turn.failure && <FailureNotice failure={turn.failure} />}
        {!isOpen && turn.answer && <CopyButton value={turn.answer} what="answer" variant="quiet" className="mt-1 -ml-2 size-7 text-muted" />}
      </div>
    </li>
  );
}

/** A small swell while nothing has come yet. */
function Waiting({ at }: { at: string | undefined }) {
  return (
    <p className="flex items-center gap-3 py-1 text-muted">
      <span aria-hidden className="flex items-end gap-1">{[0, 150, 300].map((ms) => <span key={ms} className="h-2 w-1 animate-pulse rounded-full bg-primary" style={{ animationDelay: `${ms}ms` }} />)}</span>
      {at ? `At ${at}` : "Waiting for the chatflow"}
    </p>
  );
}

function FailureNotice({ failure }: { failure: Failure }) {
  return (
    <Notice tone="bad" live title={failure.title} className="mt-1">
      {failure.detail}
      {failure.code === "session_expired" || failure.code === "missing_credentials" ? <> <Link href={`/sign-in?returnTo=${encodeURIComponent(window.location.pathname)}`} className="underline underline-offset-4">Sign in again</Link></> : null}
      {failure.requestId && <RequestReference requestId={failure.requestId} />}
    </Notice>
  );
}
