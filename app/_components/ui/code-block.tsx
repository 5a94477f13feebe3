import { cn } from "./cn";
import { CopyButton } from "./copy-button";

/** Program text that scrolls by itself instead of widening the page. */
export function CodeBlock({ code, label, onCopied, className }: { code: string; /** What it is: "curl", ".env", "TypeScript". */ label: string; onCopied?: () => void; className?: string }) {
  return (
    <figure className={cn("overflow-hidden rounded-lg border bg-sunken", className)}>
      <figcaption className="flex h-9 items-center justify-between border-b pr-1 pl-3">
        <span className="font-mono text-xs text-muted">{label}</span>
        <CopyButton value={code} what={label} variant="quiet" className="size-7" onCopied={onCopied} />
      </figcaption>
      <pre tabIndex={0} aria-label={label} className="overflow-x-auto px-3 py-2.5 font-mono text-[0.8125rem] leading-relaxed focus-visible:-outline-offset-2"><code>{code}</code></pre>
    </figure>
  );
}
