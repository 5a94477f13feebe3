import Link from "next/link";
import type { ReactNode } from "react";
import { type Permission, permissionWords } from "@/lib/access/permissions";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { addressText } from "../../_components/address-lines";
import type { KeyChoices } from "../../_components/key-form-schema";
import { limitWords } from "./limit-words";

type KeyFactsProps = { apiKey: ApiKeyView; held: readonly Permission[]; /** What its owner may choose from, who looks; null for an administrator. */ choices: KeyChoices | null; /** Said to an administrator. */ owner?: ReactNode; maker: { id: string; name: string } | null; created: readonly { id: string; name: string }[] };

/** The key as it stands, in words. */
export function KeyFacts({ apiKey: key, held, choices, owner, maker, created }: KeyFactsProps) {
  const keysAt = choices ? "/keys" : "/admin/keys";
  const flowName = (id: string) => choices?.chatflows?.find((flow) => flow.id === id)?.name ?? <span className="font-mono text-xs break-all">{id}{choices?.chatflows && " (not assigned to you any more)"}</span>;
  const makerWords = (): ReactNode => {
    if (key.createdBy.type === "apiKey") return maker ? <>the key <KeyLink at={keysAt} id={maker.id}>{maker.name}</KeyLink></> : "another key";
    if (key.createdBy.type !== "user") return "the operator";
    return key.createdBy.id === key.userId ? (choices ? "you" : "its owner") : "an administrator";
  };
  return (
    <dl className="divide-y text-sm">
      {owner && <Fact name="Owner">{owner}</Fact>}
      <Fact name="Key"><span className="font-mono">{key.start}…{key.last4}</span></Fact>
      <Fact name="May">
        <ul className="space-y-1.5">
          {held.map((name) => <li key={name}>{permissionWords[name]} <span className="font-mono text-xs whitespace-nowrap text-muted">{name}</span>{choices && !choices.permissions.includes(name) && <span className="block text-xs text-muted">Not in force: your role does not hold it.</span>}</li>)}
        </ul>
      </Fact>
      <Fact name="Chatflows">{key.chatflowIds === null ? `Any that is assigned to ${choices ? "you" : "its owner"}` : <ul className="space-y-1">{key.chatflowIds.map((id) => <li key={id}>{flowName(id)}</li>)}</ul>}</Fact>
      <Fact name="Called from">{key.allowedIps.length === 0 ? "Anywhere" : <ul className="space-y-1 font-mono text-[0.8125rem] break-all">{key.allowedIps.map((range) => <li key={range}>{addressText(range)}</li>)}</ul>}</Fact>
      <Fact name="Limit">{limitWords(key.rateLimit)}</Fact>
      <Fact name="Expires"><RelativeTime at={key.expiresAt} exactToo /></Fact>
      <Fact name="Last used"><RelativeTime at={key.lastUsedAt} exactToo /></Fact>
      <Fact name="Last attempt"><RelativeTime at={key.lastRequestAt} exactToo /></Fact>
      <Fact name="Calls"><span className="tabular-nums">{key.requestCount.toLocaleString("en")}</span></Fact>
      <Fact name="Created">By {makerWords()}, <RelativeTime at={key.createdAt} exactToo /></Fact>
      {created.length > 0 && <Fact name="It created"><ul className="space-y-1">{created.map((each) => <li key={each.id}><KeyLink at={keysAt} id={each.id}>{each.name}</KeyLink></li>)}</ul></Fact>}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-4 gap-y-1 py-2.5 first:pt-0 last:pb-0 sm:grid-cols-[8rem_minmax(0,1fr)]">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  );
}

function KeyLink({ at, id, children }: { at: string; id: string; children: ReactNode }) {
  return <Link href={`${at}/${id}`} prefetch={false} className="underline decoration-line-strong underline-offset-4 hover:decoration-current">{children}</Link>;
}
