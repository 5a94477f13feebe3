import Link from "next/link";
import { flowiseByCurl, sdkFile, streamBySdk } from "@/app/_components/snippets";
import { CodeBlock } from "@/app/_components/ui/code-block";

/** The same chatflow from a program, with an API key. Works unchanged once the key is in the environment. */
export function Snippets({ baseUrl, chatflowId }: { baseUrl: string; chatflowId: string }) {
  return (
    <div className="grid max-w-3xl gap-5">
      <p className="text-sm text-muted">Programs send an API key that may <code className="font-mono text-foreground">ai:predict</code>. Create one under <Link href="/keys" className="text-primary-ink underline underline-offset-4">API keys</Link>, and put it into the environment as <code className="font-mono text-foreground">SLUICE_API_KEY</code>.</p>
      <CodeBlock label="curl" code={flowiseByCurl(baseUrl, chatflowId)} />
      <CodeBlock label={sdkFile} code={streamBySdk(baseUrl, chatflowId)} />
    </div>
  );
}
