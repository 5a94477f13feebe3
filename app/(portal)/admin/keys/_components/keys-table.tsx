"use client";

import { KeyRound, SearchX } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import type { AnyKeyView } from "@/lib/keys/schemas";
import { Badge, type Tone } from "@/app/_components/ui/badge";
import { columnsOf, DataTable } from "@/app/_components/ui/data-table";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { Truncate } from "@/app/_components/ui/truncate";
import { path } from "./filter";
import { AnyKeyMenu } from "./key-menu";

const tones: Record<AnyKeyView["status"], Tone> = { active: "good", disabled: "warn", expired: "neutral", revoked: "bad" };
const column = columnsOf<AnyKeyView>();

/** In the order in which they came: sorting a page of a long list would say something untrue. */
const columns = column.columns([
  column.accessor("name", { header: "Key", share: 26, enableSorting: false, cell: ({ row: { original: key } }) => (
    <div className="min-w-0"><Link href={`${path}/${key.id}`} prefetch={false} className="group/whole block font-medium underline decoration-line-strong underline-offset-4 hover:decoration-current"><Truncate>{key.name}</Truncate></Link><p className="font-mono text-xs whitespace-nowrap text-muted">{key.start || key.last4 ? `${key.start}…${key.last4}` : "imported by hash"}</p></div>
  ) }),
  column.accessor("user", { header: "Owner", share: 20, enableSorting: false, cell: ({ row: { original: key } }) => (
    <div className="min-w-0"><Truncate>{key.user}</Truncate><Truncate className="text-xs text-muted">{`${key.tenant}${key.grant === "missing" && key.status === "active" ? " · no machine access" : ""}`}</Truncate></div>
  ) }),
  column.accessor("permissions", { header: "May", enableSorting: false, cell: ({ getValue }) => <span className="line-clamp-2 font-mono text-xs">{getValue().includes("*") ? "everything" : getValue().join(", ")}</span> }),
  column.accessor("lastUsedAt", { header: "Last used", enableSorting: false, cell: ({ getValue }) => <RelativeTime at={getValue()} /> }),
  column.accessor("expiresAt", { header: "Expires", enableSorting: false, cell: ({ getValue }) => <RelativeTime at={getValue()} /> }),
  column.accessor("status", { header: "Status", enableSorting: false, cell: ({ getValue }) => <Badge dot tone={tones[getValue()]}>{getValue()}</Badge> }),
  column.display({ id: "actions", header: () => <span className="sr-only">Actions</span>, cell: ({ row }) => <div className="flex justify-end"><AnyKeyMenu apiKey={row.original} /></div> }),
]);

export function AnyKeysTable({ rows, isFiltered, create }: { rows: AnyKeyView[]; isFiltered: boolean; create: ReactNode }) {
  return (
    <DataTable
      columns={columns} rows={rows} rowId={(key) => key.id} caption="API keys of everybody" isFaded={(key) => key.status === "revoked" || key.status === "expired"}
      empty={isFiltered
        ? <EmptyState icon={SearchX} title="No key matches">Try another word, status or tenant.</EmptyState>
        : <EmptyState icon={KeyRound} title="Nobody has a key yet" action={create}>People make their own. Here you make one for somebody, or take over those of an earlier system.</EmptyState>}
    />
  );
}
