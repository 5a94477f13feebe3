"use client";

import { Button } from "@/app/_components/ui/button";
import { CodeBlock } from "@/app/_components/ui/code-block";
import { CopyButton } from "@/app/_components/ui/copy-button";
import { DialogBody, DialogFooter } from "@/app/_components/ui/dialog";
import { Notice } from "@/app/_components/ui/notice";

/** The secret, this once. It lives in this component's props and is gone when the dialog closes. */
export function SecretPanel({ secret, message, baseUrl, onCopied, onClose }: { secret: string; message?: string; baseUrl: string; onCopied: () => void; onClose: () => void }) {
  return (
    <>
      <DialogBody className="space-y-4" onCopy={onCopied}>
        <Notice tone="warn" title="Copy it now">It is shown this once. Afterwards Sluice only knows its fingerprint.</Notice>
        <div className="flex items-center gap-2 rounded-lg border border-line-strong bg-sunken py-1.5 pr-1.5 pl-3">
          <code data-testid="secret" className="min-w-0 flex-1 font-mono text-sm break-all select-all">{secret}</code>
          <CopyButton value={secret} what="API key" label="Copy" variant="primary" onCopied={onCopied} />
        </div>
        {message && <p className="text-sm text-muted">{message}</p>}
        <CodeBlock label=".env" code={`SLUICE_URL=${baseUrl}\nSLUICE_API_KEY=${secret}`} onCopied={onCopied} />
        <CodeBlock label="curl" code={`curl ${baseUrl}/api/v1/auth/me -H "X-API-Key: ${secret}"`} onCopied={onCopied} />
      </DialogBody>
      <DialogFooter><Button onClick={onClose}>Done</Button></DialogFooter>
    </>
  );
}
