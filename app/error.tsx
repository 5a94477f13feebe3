"use client";

import Link from "next/link";
import { LonePanel } from "./_components/shell/lone-panel";
import { Button } from "./_components/ui/button";
import { failureWords } from "./_components/failure-words";
import { useComeback } from "./_components/use-comeback";

export default function ErrorFace({ error, retry }: { error: Error & { digest?: string }; retry: () => void }) {
  const words = failureWords(error.digest);
  useComeback(error.digest?.replace("sluice.", ""), retry);
  return (
    <LonePanel title={words.title}>
      <p className="mt-2 text-sm text-muted">{words.text}</p>
      {error.digest && !error.digest.startsWith("sluice.") && <p className="mt-3 text-xs text-muted">Reference <span className="font-mono">{error.digest}</span></p>}
      <div className="mt-6 grid gap-2">
        {words.canRetry && <Button size="lg" onClick={retry}>Try again</Button>}
        <Button asChild size="lg" variant="secondary"><Link href="/">Start page</Link></Button>
      </div>
    </LonePanel>
  );
}
