import type { Attempt } from "@/lib/entry/portal";
import type { PersonChatflows as Assigned } from "@/lib/people/schemas";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { PanelFailed } from "./panel-failed";

export function PersonChatflows({ chatflows }: { chatflows: Attempt<Assigned> }) {
  const assigned = chatflows.ok ? chatflows.data.chatflows.filter((flow) => flow.is_active) : [];
  return (
    <Card aria-label="Chatflows">
      <CardHeader title="Chatflows" hint="Assigned to this person in their tenant." />
      <CardBody>
        {!chatflows.ok ? <PanelFailed detail={chatflows.problem.detail} /> : assigned.length === 0 ? <p className="text-sm text-muted">None is assigned.</p> : (
          <ul className="space-y-1.5 text-sm">{assigned.map((flow) => <li key={flow.chatflow_id} className="wrap-anywhere">{flow.name} <span className="text-xs text-muted">since <RelativeTime at={flow.created_at} /></span></li>)}</ul>
        )}
      </CardBody>
    </Card>
  );
}
