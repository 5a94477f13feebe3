import type { AuditEventView } from "@/lib/audit/schemas";
import type { Attempt } from "@/lib/entry/portal";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { PanelFailed } from "./panel-failed";

const actors: Record<string, string> = { user: "an administrator", apiKey: "an API key", bootstrap: "the operator", job: "Sluice itself" };

/** The last things that this person did, or that were done to them. */
export function PersonEvents({ events, personId }: { events: Attempt<AuditEventView[]>; personId: string }) {
  return (
    <Card aria-label="Recent events">
      <CardHeader title="Recent events" hint="What they did, and what was done to them." />
      <CardBody>
        {!events.ok ? <PanelFailed detail={events.problem.detail} /> : events.data.length === 0 ? <p className="text-sm text-muted">Nothing was recorded.</p> : (
          <ol className="divide-y text-sm">
            {events.data.map((event, i) => (
              <li key={`${event.at} ${i}`} className="flex flex-wrap items-baseline justify-between gap-x-4 py-2 first:pt-0 last:pb-0">
                <span className="min-w-0"><span className="font-mono text-[0.8125rem] wrap-anywhere">{event.action}</span> <span className="text-muted">by {event.actor.id === personId ? "them" : (actors[event.actor.type] ?? event.actor.type)}{event.ip && ` from ${event.ip}`}</span></span>
                <span className="text-xs text-muted"><RelativeTime at={event.at} /></span>
              </li>
            ))}
          </ol>
        )}
      </CardBody>
    </Card>
  );
}
