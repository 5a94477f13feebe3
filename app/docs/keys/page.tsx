import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { permissionMask, permissionNames, permissionsOf, permissionWords, portalFacts, type Role, roleHolds } from "@/lib/entry/portal";
import { CodeBlock } from "@/app/_components/ui/code-block";
import { Section } from "../_components/section";

export const metadata: Metadata = { title: "API keys" };

const link = "text-primary-ink underline underline-offset-4";
const Code = ({ children }: { children: ReactNode }) => <code className="font-mono text-sm">{children}</code>;

export default function ApiKeys() {
  const { baseUrl } = portalFacts();
  const create = `curl ${baseUrl}/api/v1/auth/api-keys \\
  -H "X-API-Key: $SLUICE_API_KEY" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: nightly-report-1" \\
  -d '{"name": "Nightly report",
       "permissions": ["ai:predict", "chatflows:read"],
       "chatflowIds": ["CHATFLOW_ID"],
       "allowedIps": ["192.0.2.0/24", "2001:db8::/48"],
       "rateLimit": {"requests": 1000, "window": 3600},
       "expiresIn": 7776000}'`;
  const rotate = `curl ${baseUrl}/api/v1/auth/api-keys/KEY_ID/rotate \\
  -H "X-API-Key: $SLUICE_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"overlapSeconds": 604800, "endWhenQuietSeconds": 86400}'`;
  const headers = `X-RateLimit-Limit: 1000
X-RateLimit-Remaining: 999
X-RateLimit-Reset: 1795260000
RateLimit-Policy: "key";q=1000;w=3600
RateLimit: "key";r=999;t=3600`;
  const decision = `curl ${baseUrl}/api/v1/decisions/REQUEST_ID -H "X-API-Key: $SLUICE_API_KEY"`;
  return (
    <article className="max-w-3xl">
      <h1 className="text-3xl font-semibold tracking-tight">API keys</h1>
      <p className="mt-3 mb-10 text-lg text-muted">What a key may do, where from, how often, and how it ends.</p>

      <Section id="permissions" title="Permissions">
        <p>A key may do what it was given <em>and</em> its owner’s role allows at that moment. Nobody gives a key more than they hold themselves.</p>
        <div className="overflow-x-auto rounded-lg border">
          <table className="w-full text-sm">
            <caption className="sr-only">Permissions, and the roles that hold them</caption>
            <thead className="border-b bg-sunken text-left text-xs text-muted">
              <tr><th scope="col" className="px-3 py-2 font-medium">Permission</th><th scope="col" className="px-3 py-2 font-medium">What it allows</th><th scope="col" className="px-3 py-2 font-medium">Roles</th></tr>
            </thead>
            <tbody className="divide-y">
              {permissionNames.map((name) => (
                <tr key={name}>
                  <th scope="row" className="px-3 py-2 text-left font-mono text-xs font-normal whitespace-nowrap">{name}</th>
                  <td className="px-3 py-2">{permissionWords[name]}</td>
                  <td className="px-3 py-2 text-muted">{rolesWith(name).join(", ")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p><Code>*</Code> is everything and <Code>ai:*</Code> a whole family. The shorthands <Code>read</Code> (every <Code>:read</Code>), <Code>write</Code> (those, <Code>ai:predict</Code>, <Code>ai:train</Code> and <Code>nflow:write</Code>) and <Code>admin</Code> (everything) are stored as what they stand for.</p>
      </Section>

      <Section id="create" title="Create one from a program">
        <CodeBlock label="curl" code={create} />
        <p>The key that sends this needs <Code>api-keys:create</Code>. A key that creates keys never gives more than it has: what you leave out is inherited, anything wider is <Code>permission_escalation</Code>. With an <Code>Idempotency-Key</Code> a repeated call gives the first answer again, without the secret, which is shown once.</p>
      </Section>

      <Section id="restrictions" title="Restrictions">
        <p><Code>allowedIps</Code> takes addresses and ranges, IPv4 and IPv6; from anywhere else the answer is <Code>ip_not_allowed</Code>. What counts is the address that reaches us, or the one that a proxy known to the operator saw; headers that a caller writes change nothing. <Code>chatflowIds</Code> limits a key to some of the chatflows assigned to its owner; others do not exist for it. Both hold for tokens obtained with the key as well.</p>
      </Section>

      <Section id="limits" title="Limits">
        <p>A key has a limit of its own, and its owner and tenant have limits above it. They are taken together or not at all, and a refused call takes nothing. Every answer says how the tightest one stands:</p>
        <CodeBlock label="headers" code={headers} />
        <p>A burst on a full budget gets exactly its number; there is no second one at the edge of a window; evenly spaced calls under the limit are never refused. After a <Code>429</Code>, wait for the seconds in <Code>Retry-After</Code>. Calls that fail to authenticate are limited by address.</p>
      </Section>

      <Section id="rotation" title="Rotate without an outage">
        <p>Rotating gives the same key a new secret. The old one works until the overlap ends, or, if you say so, until nobody has used it for a while. Meanwhile the key’s page shows who still calls with it.</p>
        <CodeBlock label="curl" code={rotate} />
      </Section>

      <Section id="ending" title="Disable and revoke">
        <p>Disabling is for now, revoking for ever. Once the answer is there, no server of this installation admits the key any more. <Code>?cascade=true</Code> revokes the keys that it created too. A key also ends with its owner’s account.</p>
      </Section>

      <Section id="counts" title="Requests, errors, refused">
        <p>A call is <strong>refused</strong> when Sluice turns it away with <Code>401</Code>, <Code>402</Code>, <Code>403</Code> or <Code>429</Code> before an engine is asked: its credential, permissions, address, limits or credits did not allow it. <strong>Requests</strong> are all other calls. <strong>Errors</strong> are the requests answered with <Code>400</Code> or more, such as <Code>404</Code>, <Code>422</Code> and <Code>502</Code>; <Code>upstream_forbidden</Code> is the engine’s answer and so an error. A caller who left (<Code>499</Code>) counts as a request and is neither.</p>
        <p>The words mean the same on every page, in the API (<Code>errors</Code>, <Code>rateLimited</Code> for refused, <Code>status=error</Code>, <Code>status=refused</Code>) and in the plots. Calls that this portal’s own pages make for you are marked and left out; <Code>includePortal=true</Code> and the switch on the pages include them.</p>
      </Section>

      <Section id="why" title="Why was a call refused?">
        <p>Each refusal, and each other <Code>4xx</Code> answer of ours, is kept for a day with the check that spoke, what it saw and what it would have accepted. Ask with the <Code>X-Request-Id</Code> of the answer, or look under <Link href="/requests" className={link}>Requests</Link>.</p>
        <CodeBlock label="curl" code={decision} />
      </Section>

      <Section id="imported" title="Keys of earlier systems">
        <p>Administrators can import keys by their SHA-256; programs go on sending them as before. Calls to the engines wait until their owner has given <Link href="/machine-access" className={link}>machine access</Link>: until then they are <Code>owner_reauth_required</Code>.</p>
      </Section>
    </article>
  );
}

const rolesWith = (name: (typeof permissionNames)[number]) => (["viewer", "user", "admin"] as Role[]).filter((role) => permissionsOf(permissionMask(roleHolds[role])).includes(name));
