"use client";

import { CircleAlert, CircleCheck } from "lucide-react";
import { useEffect, useState } from "react";
import type { PortalStatus, StatusPart } from "@/lib/entry/status";
import { partWords } from "./words";

const everyMs = 5000;

/** The parts and how they are, looked at again every few seconds while somebody looks. A server that does not answer keeps what was known. */
export function StatusList({ first }: { first: PortalStatus }) {
  const [status, setStatus] = useState(first);
  const [isCutOff, setCutOff] = useState(false);
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      if (document.visibilityState === "visible") {
        const next = await fetch("/status/state", { cache: "no-store" }).then((answer) => (answer.ok ? (answer.json() as Promise<PortalStatus>) : null), () => null);
        if (isGone) return;
        setCutOff(next === null);
        if (next) setStatus(next);
      }
      timer = setTimeout(() => void look(), everyMs);
    };
    timer = setTimeout(() => void look(), everyMs);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, []);
  const parts = Object.entries(status.parts) as [StatusPart, boolean][];
  const away = parts.filter(([, works]) => !works).length;
  return (
    <>
      <p role="status" className="mt-2 text-sm text-muted">{isCutOff ? "The portal itself does not answer right now. This is what was known last." : away === 0 ? "Everything works." : away === 1 ? "One part does not answer. You need not do anything: it is looked at again and again, and goes on by itself." : `${away} parts do not answer. You need not do anything: they are looked at again and again, and go on by themselves.`}</p>
      <ul className="mt-5 divide-y border-y">
        {parts.map(([part, works]) => {
          const { name, what, away: consequence } = partWords[part];
          const Icon = works ? CircleCheck : CircleAlert;
          return (
            <li key={part} className="flex gap-3 py-3.5">
              <Icon aria-hidden className={works ? "mt-0.5 size-4.5 shrink-0 text-success" : "mt-0.5 size-4.5 shrink-0 text-danger"} />
              <div className="min-w-0 flex-1 text-sm">
                <p className="flex flex-wrap items-baseline justify-between gap-x-3">
                  <span className="font-semibold">{name}</span>
                  <span className={works ? "text-success-ink" : "font-medium text-danger-ink"}>{works ? "Works" : "Does not answer"}</span>
                </p>
                <p className="mt-0.5 text-muted">{works ? what : consequence}</p>
              </div>
            </li>
          );
        })}
      </ul>
      <p className="mt-4 text-xs text-muted">Looked at <time dateTime={new Date(status.at).toISOString()} suppressHydrationWarning>{new Date(status.at).toLocaleTimeString()}</time>, and again every few seconds.</p>
    </>
  );
}
