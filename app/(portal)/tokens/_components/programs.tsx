import Link from "next/link";
import type { FamilyView } from "@/lib/tokens/schemas";
import { Card } from "@/app/_components/ui/card";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { RevokeProgram } from "./revoke-program";
import { agentWords, chatflowsInWords, originWords, permissionsInWords } from "./words";

/** One row for each sign-in of a program; on a phone its facts stand below one another. */
export function Programs({ families }: { families: FamilyView[] }) {
  return (
    <Card>
      <ul className="divide-y">
        {families.map((family) => (
          <li key={family.id} className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 px-4 py-4 sm:px-5">
            <div className="min-w-0 flex-1 basis-72">
              <h2 className="text-sm font-medium wrap-anywhere">{agentWords(family.userAgent)}</h2>
              <p className="mt-0.5 text-sm text-muted">
                {family.key ? <>With the key <Link href={`/keys/${family.key.id}`} className="text-foreground underline decoration-line-strong underline-offset-4 hover:decoration-current">{family.key.name}</Link></> : originWords[family.origin]}
                {" from "}<span className="font-mono text-xs wrap-anywhere">{family.ip ?? "an address that is not known"}</span>
              </p>
              <dl className="mt-3 grid grid-cols-[6.5rem_minmax(0,1fr)] gap-y-1 text-sm">
                <dt className="text-muted">Signed in</dt><dd><RelativeTime at={family.createdAt} /></dd>
                <dt className="text-muted">Last refreshed</dt><dd><RelativeTime at={family.refreshedAt} never="not yet" /></dd>
                <dt className="text-muted">Ends</dt><dd><RelativeTime at={family.expiresAt} /><span className="text-muted">{family.origin === "session" ? ", or with that session" : ", unless it refreshes before"}</span></dd>
                <dt className="text-muted">May</dt><dd className="wrap-anywhere"><span className="font-mono text-xs" title={family.permissions.join(", ")}>{permissionsInWords(family.permissions)}</span>{family.chatflowCount !== null && <span className="text-muted">; only {chatflowsInWords(family.chatflowCount)}</span>}</dd>
              </dl>
            </div>
            <RevokeProgram id={family.id} name={agentWords(family.userAgent)} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
