import Link from "next/link";
import { CodeBlock } from "@/app/_components/ui/code-block";

/** The same chatflow from a program, with an API key. Works as it stands once the key is in the environment. */
export function Snippets({ baseUrl, chatflowId }: { baseUrl: string; chatflowId: string }) {
  const curl = `curl -N ${baseUrl}/api/v1/prediction/${chatflowId} \\
  -H "X-API-Key: $SLUICE_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"question": "Hello", "streaming": true}'`;
  const sdk = `import { FlowiseClient } from "flowise-sdk";

const flowise = new FlowiseClient({
  baseUrl: "${baseUrl}",
  apiKey: process.env.SLUICE_API_KEY,
});

const answer = await flowise.createPrediction({
  chatflowId: "${chatflowId}",
  question: "Hello",
  streaming: true,
});

for await (const chunk of answer) {
  if (chunk.event === "token") process.stdout.write(chunk.data);
}`;
  return (
    <div className="grid max-w-3xl gap-5">
      <p className="text-sm text-muted">Programs send an API key that may <code className="font-mono text-foreground">ai:predict</code>. Create one under <Link href="/keys" className="text-primary-ink underline underline-offset-4">API keys</Link>, and put it into the environment as <code className="font-mono text-foreground">SLUICE_API_KEY</code>.</p>
      <CodeBlock label="curl" code={curl} />
      <CodeBlock label="TypeScript, flowise-sdk" code={sdk} />
    </div>
  );
}
