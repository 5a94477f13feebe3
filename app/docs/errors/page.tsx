import type { Metadata } from "next";
import Link from "next/link";
import { type ErrorCode, problems } from "@/lib/entry/portal";
import { CodeBlock } from "@/app/_components/ui/code-block";
import { errorWords } from "./words";

export const metadata: Metadata = { title: "Errors" };

const example = `{
  "type": "…/docs/errors/rate_limited",
  "title": "Too many requests",
  "status": 429,
  "detail": "Rate limit exceeded. Retry after 1800 seconds.",
  "instance": "/api/v1/auth/me",
  "code": "rate_limited",
  "requestId": "…"
}`;

export default function Errors() {
  const codes = (Object.entries(problems) as [ErrorCode, { status: number; title: string }][]).toSorted(([, a], [, b]) => a.status - b.status);
  const statuses = [...new Set(codes.map(([, { status }]) => status))];
  return (
    <article className="max-w-3xl">
      <h1 className="text-3xl font-semibold tracking-tight">Errors</h1>
      <p className="mt-3 mb-6 text-muted">Every failure is <code className="font-mono text-sm">application/problem+json</code> (RFC 9457). Decide by <code className="font-mono text-sm">code</code>; the words may change.</p>
      <CodeBlock label="application/problem+json" code={example} />
      {statuses.map((status) => (
        <section key={status} aria-labelledby={`status-${status}`} className="mt-10">
          <h2 id={`status-${status}`} className="font-mono text-sm font-semibold text-muted">{status}</h2>
          <ul className="mt-2 divide-y border-y">
            {codes.filter(([, row]) => row.status === status).map(([code, row]) => (
              <li key={code}>
                <Link href={`/docs/errors/${code}`} className="grid gap-x-6 gap-y-1 py-3 transition-colors hover:bg-sunken/60 sm:grid-cols-[15rem_minmax(0,1fr)]">
                  <span className="font-mono text-sm break-all text-primary-ink">{code}</span>
                  <span className="text-sm"><span className="font-medium">{row.title}.</span> <span className="text-muted">{errorWords[code].means}</span></span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </article>
  );
}
