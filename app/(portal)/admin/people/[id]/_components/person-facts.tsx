import type { ReactNode } from "react";
import type { PersonDetails } from "@/lib/people/schemas";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { RelativeTime } from "@/app/_components/ui/relative-time";

const stateInKeycloak = { enabled: "Enabled", disabled: "Disabled", deleted: "Deleted" } as const;
const grantStates = { missing: "Not given", active: "Active", needs_reauth: "Lost: to be given again", owner_disabled: "On hold: disabled in Keycloak" } as const;

/** Who somebody is, and what they can act by now. */
export function PersonFacts({ person }: { person: PersonDetails }) {
  const { grant } = person;
  return (
    <Card aria-label="Facts">
      <CardHeader title="Who this is" />
      <CardBody>
        <dl className="divide-y text-sm">
          <Fact name="Role">{person.role ?? <span className="text-muted">none: no access until Keycloak gives one</span>}</Fact>
          <Fact name="Tenant">{person.tenant}</Fact>
          <Fact name="Email">{person.email ? <>{person.email}{!person.emailVerified && <span className="text-muted"> (not verified)</span>}</> : <span className="text-muted">none</span>}</Fact>
          <Fact name="In Keycloak">{stateInKeycloak[person.keycloak_state]}{person.keycloakStateAt && <>, seen <RelativeTime at={person.keycloakStateAt} /></>}</Fact>
          <Fact name="Here">{person.keptOutAt ? <>Kept out by an administrator, <RelativeTime at={person.keptOutAt} /></> : person.is_active ? "May sign in" : "Shut out, as Keycloak says"}</Fact>
          <Fact name="Last signed in"><RelativeTime at={person.last_seen_at} /></Fact>
          <Fact name="Sessions">{person.sessions === null ? <span className="text-muted">cannot be counted just now</span> : counted(person.sessions, "live session")}</Fact>
          <Fact name="Programs">{counted(person.programs, "sign-in that may refresh", "sign-ins that may refresh")}</Fact>
          <Fact name="Machine access">{grantStates[grant.status]}{grant.lastUsedAt && <>, last used <RelativeTime at={grant.lastUsedAt} /></>}{grant.actsUntil && <>, ends <RelativeTime at={grant.actsUntil} /></>}</Fact>
          <Fact name="Credits"><span className="tabular-nums">{person.credits.toLocaleString("en")}</span></Fact>
          <Fact name="Ids"><span className="font-mono text-xs break-all">{person.id}</span><span className="block text-xs break-all text-muted">Keycloak: <span className="font-mono">{person.memberId}</span></span></Fact>
        </dl>
      </CardBody>
    </Card>
  );
}

const counted = (count: number, one: string, many = `${one}s`) => (count === 0 ? <span className="text-muted">none</span> : `${count} ${count === 1 ? one : many}`);

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[7rem_minmax(0,1fr)] gap-x-4 gap-y-1 py-2.5 first:pt-0 last:pb-0 sm:grid-cols-[9rem_minmax(0,1fr)]">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  );
}
