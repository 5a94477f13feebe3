import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { portalFacts } from "@/lib/entry/portal";
import { CodeBlock } from "@/app/_components/ui/code-block";
import { Section } from "../_components/section";

export const metadata: Metadata = { title: "Short-lived tokens" };

const link = "text-primary-ink underline underline-offset-4";
const Code = ({ children }: { children: ReactNode }) => <code className="font-mono text-sm">{children}</code>;

export default function Tokens() {
  const { baseUrl } = portalFacts();
  const post = (path: string, rest: string) => `curl ${baseUrl}${path} -X POST \\\n  -H "Content-Type: application/json" \\\n  ${rest}`;
  const obtain = post("/api/v1/auth/token", `-H "X-API-Key: $SLUICE_API_KEY" \\
  -d '{"permissions": ["ai:predict"], "chatflowIds": ["CHATFLOW_ID"]}'`);
  const answer = `{"access_token": "eyJ…", "refresh_token": "srt_…", "token_type": "bearer",
 "expires_in": 900, "refresh_expires_in": 604800, "user": {…}}`;
  const refresh = post("/api/v1/auth/token/refresh", `-d '{"refresh_token": "srt_…"}'`);
  const revoke = post("/api/v1/auth/token/revoke", `-d '{"refresh_token": "srt_…"}'`);
  return (
    <article className="max-w-3xl">
      <h1 className="text-3xl font-semibold tracking-tight">Short-lived tokens</h1>
      <p className="mt-3 mb-10 text-lg text-muted">For places where a key is too much: a browser, a build, somebody else’s program.</p>

      <Section id="obtain" title="Obtain a pair">
        <CodeBlock label="curl" code={obtain} />
        <p>With an API key, an access token of Keycloak made out to this portal, or in a session. <Code>permissions</Code> and <Code>chatflowIds</Code> make the tokens narrower; wider than the caller is <Code>permission_escalation</Code>. Left out, they are as wide as the caller.</p>
        <CodeBlock label="json" code={answer} />
        <p>Send the access token as <Code>Authorization: Bearer</Code>. It is a JWT (ES256) that anybody can verify by <a href="/.well-known/jwks.json" className={link}>our key set</a>; new keys are published ten minutes before they sign.</p>
      </Section>

      <Section id="refresh" title="Refresh">
        <CodeBlock label="curl" code={refresh} />
        <p>A refresh token is good once: each answer brings the next one, so keep the latest and never refresh twice at the same time. A second use means that two have it, and ends all tokens of that sign-in at once.</p>
      </Section>

      <Section id="end" title="How they end">
        <p>With what they were obtained with: a key’s tokens keep to the key’s limits, addresses and chatflows and end when it is revoked, disabled, rotated away or expired; a session’s end when it is signed out; those of a Keycloak token with the sign-in behind it. Or earlier, when you say so:</p>
        <CodeBlock label="curl" code={revoke} />
        <p>Who has the refresh token needs no other credential. With an access token or key, <Code>{"{\"all\": true}"}</Code> ends all that are yours. From that answer on no server of this installation takes them. What is signed in now, and from where, is under <Link href="/tokens" className={link}>Programs signed in</Link>.</p>
      </Section>
    </article>
  );
}
