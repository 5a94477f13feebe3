import Link from "next/link";
import type { ReactNode } from "react";
import { WaterLines, Wordmark } from "../ui/mark";

/** One thing to read or do, in the middle of quiet water: signing in and out, no access, faces of failure. */
export function LonePanel({ title, children, footer, isStatus = false }: { title: string; children: ReactNode; footer?: ReactNode; /** This is where the link to the status would lead. */ isStatus?: boolean }) {
  return (
    <div className="relative isolate grid min-h-dvh grid-rows-[auto_1fr_auto] overflow-hidden bg-rail px-5 text-rail-text">
      <WaterLines className="absolute inset-x-0 bottom-0 -z-10 h-[30vh] w-full text-rail-line" />
      <header className="on-rail mx-auto w-full max-w-md pt-8"><Link href="/" aria-label="Sluice, start page" className="inline-block rounded-md"><Wordmark /></Link></header>
      <main id="main" className="mx-auto w-full max-w-md self-center py-8">
        <div className="rounded-xl border bg-surface px-6 py-7 text-foreground shadow-float sm:px-8">
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {children}
        </div>
      </main>
      <footer className="on-rail mx-auto w-full max-w-md flex flex-wrap gap-x-5 gap-y-2 pb-8 text-sm text-rail-muted">
        {footer}
        {!isStatus && <Link href="/status" className="rounded-sm underline underline-offset-4 hover:text-rail-text">What works right now</Link>}
      </footer>
    </div>
  );
}
