import Link from "next/link";
import type { Attempt } from "@/lib/entry/portal";
import type { AnyKeyView } from "@/lib/keys/schemas";
import { Badge, type Tone } from "@/app/_components/ui/badge";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { Notice } from "@/app/_components/ui/notice";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { PanelFailed } from "./panel-failed";
import { RevokePersonKey } from "./revoke-person-key";

const tones: Record<AnyKeyView["status"], Tone> = { active: "good", disabled: "warn", expired: "neutral", revoked: "bad" };

/** Their keys, those of a tenant that they have left too: such keys are refused, and only revoking them says so for good. */
export function PersonKeys({ keys, tenantId, leftBehind }: { keys: Attempt<{ keys: AnyKeyView[]; nextCursor: string | null }>; tenantId: string; leftBehind: number }) {
  return (
    <Card aria-label="API keys">
      <CardHeader title="API keys" hint="What one may do is cut to this person’s role at each call." />
      <CardBody className="space-y-3">
        {leftBehind > 0 && <Notice tone="warn" title={leftBehind === 1 ? "One key was left behind" : `${leftBehind} keys were left behind`}>They belong to a tenant that this person has left, and are refused. Revoke them if nobody will come back.</Notice>}
        {!keys.ok ? <PanelFailed detail={keys.problem.detail} /> : keys.data.keys.length === 0 ? <p className="text-sm text-muted">No keys.</p> : (
          <ul className="divide-y text-sm">
            {keys.data.keys.map((key) => (
              <li key={key.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2.5 first:pt-0 last:pb-0">
                <div className="min-w-0">
                  <p><Link href={`/admin/keys/${key.id}`} prefetch={false} className="font-medium wrap-anywhere underline decoration-line-strong underline-offset-4 hover:decoration-current">{key.name}</Link></p>
                  <p className="text-xs text-muted"><span className="font-mono">{key.start}…{key.last4}</span> · used <RelativeTime at={key.lastUsedAt} />{key.tenantId !== tenantId && ` · of ${key.tenant}`}</p>
                </div>
                <div className="flex items-center gap-2">
                  <Badge dot tone={key.tenantId !== tenantId && key.status === "active" ? "warn" : tones[key.status]}>{key.tenantId !== tenantId && key.status === "active" ? "moved" : key.status}</Badge>
                  {key.status !== "revoked" && <RevokePersonKey id={key.id} name={key.name} />}
                </div>
              </li>
            ))}
          </ul>
        )}
        {keys.ok && keys.data.nextCursor && <p className="text-sm text-muted">And more: see all API keys.</p>}
      </CardBody>
    </Card>
  );
}
