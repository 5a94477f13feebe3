import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { hasPermission, requirePerson } from "@/lib/access";
import { listEventsOf } from "@/lib/audit";
import { page } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { listAnyKeys } from "@/lib/keys";
import { getPersonDetails, listPersonChatflows } from "@/lib/people";
import { Badge } from "@/app/_components/ui/badge";
import { Button } from "@/app/_components/ui/button";
import { PageHeader } from "@/app/_components/ui/page-header";
import { ListFailed } from "../../_components/list-failed";
import { path } from "../_components/filter";
import { stateWords } from "../_components/state-words";
import { PersonAccess } from "./_components/person-access";
import { PersonChatflows } from "./_components/person-chatflows";
import { PersonEvents } from "./_components/person-events";
import { PersonFacts } from "./_components/person-facts";
import { PersonKeys } from "./_components/person-keys";
import { KeyLoading } from "../../../keys/[id]/_components/key-loading";

export const metadata: Metadata = { title: "Person" };

export default page(async (ctx, { params }) => {
  const id = params.id ?? "";
  const found = await attempt(() => getPersonDetails(ctx, id));
  if (!found.ok) {
    if (found.problem.status === 404) notFound();
    return <><PageHeader title="Person" /><ListFailed title="This person could not be read" problem={found.problem} /></>;
  }
  const person = found.data;
  const [keys, chatflows, events] = await Promise.all([
    hasPermission(ctx, "admin:keys") ? attempt(() => listAnyKeys(ctx, { userId: id, limit: 50 })) : null,
    attempt(() => listPersonChatflows(ctx, id)),
    hasPermission(ctx, "admin:audit") ? attempt(() => listEventsOf(ctx, id, { limit: 20 })) : null,
  ]);
  const { label, tone } = stateWords(person);
  return (
    <>
      <PageHeader
        title={<span className="wrap-anywhere">{person.username}</span>}
        above={<Link href={path} className="underline underline-offset-4 hover:text-foreground">People</Link>}
        actions={
          <>
            {hasPermission(ctx, "admin:audit") && <Button asChild variant="secondary" size="sm"><Link href={`/admin/requests?user=${person.id}`} prefetch={false}>Their requests</Link></Button>}
            <Badge dot tone={tone} className="px-2.5 py-1 text-sm">{label}</Badge>
          </>
        }
      >
        {[person.name, person.email].filter(Boolean).join(" · ")}
      </PageHeader>
      <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="space-y-5">
          <PersonFacts person={person} />
          {keys && <PersonKeys keys={keys} tenantId={person.tenantId} leftBehind={person.keysLeftBehind} />}
          {events && <PersonEvents events={events} personId={person.id} />}
        </div>
        <div className="space-y-5">
          <PersonAccess person={person} isSelf={requirePerson(ctx).userId === person.id} />
          <PersonChatflows chatflows={chatflows} />
        </div>
      </div>
    </>
  );
}, { needs: "admin:users", loading: <KeyLoading /> });
