"use client";

import { MonitorSmartphone } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import type { SessionView } from "@/lib/sessions/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Badge } from "@/app/_components/ui/badge";
import { Button } from "@/app/_components/ui/button";
import { columnsOf, DataTable } from "@/app/_components/ui/data-table";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { Truncate } from "@/app/_components/ui/truncate";
import { signOutSessionAction } from "../actions";

const column = columnsOf<SessionView>();
const columns = column.columns([
  column.accessor("device", { header: "Device", share: 40, enableSorting: false, cell: ({ row }) => <Device session={row.original} /> }),
  column.accessor("signedInAt", { header: "Signed in", enableSorting: false, cell: ({ row, getValue }) => <span className="block"><RelativeTime at={getValue()} /><span className="block text-xs text-muted">{row.original.method}</span></span> }),
  column.accessor("lastSeenAt", { header: "Last seen", enableSorting: false, cell: ({ getValue }) => <RelativeTime at={getValue()} /> }),
  column.accessor("endsAt", { header: "Ends if unused", enableSorting: false, cell: ({ getValue }) => <RelativeTime at={getValue()} /> }),
  column.display({ id: "actions", header: () => <span className="sr-only">Actions</span>, cell: ({ row }) => (row.original.isThis ? null : <SignOutOne session={row.original} />) }),
]);

export function SessionsTable({ rows }: { rows: SessionView[] }) {
  const empty = <EmptyState icon={MonitorSmartphone} title="No sessions">This one has just ended. Reload the page to sign in again.</EmptyState>;
  return <DataTable columns={columns} rows={rows} rowId={(row) => row.id} caption="Your sessions, this one first" empty={empty} />;
}

function Device({ session: { device, address, isThis } }: { session: SessionView }) {
  return (
    <span className="block min-w-0">
      <span className="flex flex-wrap items-center gap-x-2 gap-y-1"><Truncate className="font-medium">{device}</Truncate>{isThis && <Badge tone="water">This device</Badge>}</span>
      <span className="block text-xs text-muted">{address ? <span className="font-mono break-all">{address}</span> : "address not known"}</span>
    </span>
  );
}

function SignOutOne({ session }: { session: SessionView }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <div className="flex justify-end">
      <Button variant="secondary" size="sm" onClick={() => setAsking(true)}>Sign out<span className="sr-only"> {session.device}</span></Button>
      <Confirm open={isAsking} onOpenChange={setAsking} title={`Sign out ${session.device}?`} action="Sign out" onConfirm={async () => {
        const result = await signOutSessionAction({ id: session.id });
        if (!result.ok) return refusalText(result.problem);
        toast.success(`${session.device} is signed out`);
        return null;
      }}>
        <p>It can do nothing more here from now on. To come back, Keycloak asks for the password there, even if it still knows the browser.</p>
      </Confirm>
    </div>
  );
}
