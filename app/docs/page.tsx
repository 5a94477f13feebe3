import type { Metadata } from "next";
import Link from "next/link";
import { portalFacts } from "@/lib/entry/portal";
import { predictByCurl, sdkFile, streamByCurl, streamBySdk } from "../_components/snippets";
import { CodeBlock } from "../_components/ui/code-block";
import { Section } from "./_components/section";

export const metadata: Metadata = { title: "Quick start" };

const link = "text-primary-ink underline underline-offset-4";

export default function QuickStart() {
  const { baseUrl, keyPrefix } = portalFacts();
  const frames = `message:
data:{"event":"token","data":"Hel"}

message:
data:{"event":"token","data":"lo"}

message:
data:{"event":"end","data":"[DONE]"}`;
  const tokens = `curl ${baseUrl}/api/v1/chat/authenticate \\
  -H "Content-Type: application/json" \\
  -d "{\\"api_key\\": \\"$SLUICE_API_KEY\\"}"`;
  return (
    <article className="max-w-3xl">
      <h1 className="text-3xl font-semibold tracking-tight">Quick start</h1>
      <p className="mt-3 mb-10 text-lg text-muted">From nothing to a streamed answer through your own API key.</p>
      <Section id="key" title="Get a key">
        <ol className="list-decimal space-y-2 pl-5 marker:text-muted">
          <li><Link href="/sign-in?returnTo=/keys" className={link}>Sign in</Link> with your Keycloak account.</li>
          <li>Under <Link href="/machine-access" className={link}>Machine access</Link>, let your keys act as you. Once is enough.</li>
          <li>Under <Link href="/keys" className={link}>API keys</Link>, create a key. It starts with <code className="font-mono text-sm">{keyPrefix}_</code> and is shown once.</li>
          <li>Under <Link href="/chatflows" className={link}>Chatflows</Link>, open one of yours; its address ends in the id that stands as <code className="font-mono text-sm">CHATFLOW_ID</code> below.</li>
        </ol>
      </Section>
      <Section id="curl" title="Call a chatflow">
        <p>Send the key in <code className="font-mono text-sm">X-API-Key</code>, or as <code className="font-mono text-sm">Authorization: Bearer</code>. It is never accepted in an address.</p>
        <CodeBlock label="curl" code={predictByCurl(baseUrl, "CHATFLOW_ID")} />
        <p>The answer has the text in <code className="font-mono text-sm">response</code> and what is left in <code className="font-mono text-sm">metadata.remaining_credits</code>. Send the same <code className="font-mono text-sm">sessionId</code> with each question to keep a conversation going.</p>
      </Section>
      <Section id="sdk" title="With flowise-sdk">
        <p>Flowise’s own paths answer here too, so its SDK needs only another host and a key.</p>
        <CodeBlock label={sdkFile} code={streamBySdk(baseUrl, "CHATFLOW_ID")} />
      </Section>
      <Section id="streaming" title="Streaming">
        <p>Events come as the engine sends them. Each is one <code className="font-mono text-sm">data:</code> line whose JSON names the event; skip every other line. Tokens make up the answer, <code className="font-mono text-sm">error</code> tells what went wrong, <code className="font-mono text-sm">end</code> is the last. Hanging up stops the engine.</p>
        <CodeBlock label="curl" code={streamByCurl(baseUrl, "CHATFLOW_ID")} />
        <CodeBlock label="text/event-stream" code={frames} />
      </Section>
      <Section id="tokens" title="Short-lived tokens">
        <p>Where a key should not travel, exchange it for an access token. Anybody can verify it with the keys at <a href="/.well-known/jwks.json" className={link}>/.well-known/jwks.json</a>. The refresh token that comes along works once.</p>
        <CodeBlock label="curl" code={tokens} />
      </Section>
      <Section id="limits" title="Limits and failures">
        <p>Every answer carries <code className="font-mono text-sm">X-RateLimit-Remaining</code> and an <code className="font-mono text-sm">X-Request-Id</code>. After a <code className="font-mono text-sm">429</code>, wait for the seconds in <code className="font-mono text-sm">Retry-After</code>. Failures are JSON with a <code className="font-mono text-sm">code</code>; <Link href="/docs/errors" className={link}>each code</Link> says what to do. The <Link href="/docs/reference" className={link}>reference</Link> lists all calls, and <a href="/api/openapi.json" className={link}>/api/openapi.json</a> is the same for machines.</p>
      </Section>
    </article>
  );
}
