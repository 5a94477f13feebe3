import { ShieldAlert } from "lucide-react";
import type { Attempt } from "@/lib/entry/portal";
import type { BootstrapUse } from "@/lib/keys/schemas";
import { Card } from "@/app/_components/ui/card";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { ListFailed } from "../../_components/list-failed";

const words: Record<string, string> = { "bootstrap.used": "Token used", "tenant.created": "Tenant created", "key.created": "First key created" };

/** Who walked in by the operator's door, and what they did. */
export function BootstrapUses({ uses }: { uses: Attempt<BootstrapUse[]> }) {
  return (
    <section aria-labelledby="bootstrap-uses" className="mt-10">
      <h2 id="bootstrap-uses" className="text-base font-semibold">Uses of the bootstrap token</h2>
      <p className="mt-1 mb-4 max-w-2xl text-sm text-muted">With <code className="font-mono">ADMIN_TOKEN</code> the operator makes tenants and the first key of each. When that is done it can be taken out of the server’s settings.</p>
      {uses.ok
        ? (
          <Card>
            {uses.data.length === 0
              ? <EmptyState icon={ShieldAlert} title="It was never used" />
              : (
                <ul className="divide-y text-sm">
                  {uses.data.map((use) => (
                    <li key={use.id} className="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-4 py-3">
                      <span className="min-w-40 font-medium">{words[use.action] ?? use.action}</span>
                      <span className="min-w-0 flex-1 basis-52 font-mono text-xs break-all text-muted">{aboutOf(use.data)}</span>
                      <span className="font-mono text-xs text-muted">{use.ip ?? "address not known"}</span>
                      <RelativeTime at={use.at} />
                    </li>
                  ))}
                </ul>
              )}
          </Card>
        )
        : <ListFailed title="The uses could not be read" problem={uses.problem} />}
    </section>
  );
}

function aboutOf(data: unknown): string {
  if (typeof data !== "object" || data === null) return "";
  const { method, path, slug, name } = data as Record<string, unknown>;
  return [method, path, slug, name].filter((part) => typeof part === "string").join(" ");
}
