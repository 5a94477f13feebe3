"use client";

import Link from "next/link";
import { useState } from "react";
import { permissionNames } from "@/lib/access/permissions";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { Badge } from "@/app/_components/ui/badge";
import { columnsOf } from "@/app/_components/ui/data-table";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { Truncate } from "@/app/_components/ui/truncate";
import { ActivityCell } from "./activity-cell";
import { KeyMenu } from "./key-menu";
import { ReminderMark } from "./reminder-mark";
import { statusTones } from "./status-tones";
import { SelectAll, SelectKey, useTableContext } from "./table-context";

const column = columnsOf<ApiKeyView>();

/** For those who may only look. The ids of what can be sorted are the API's words for it. */
export const lookColumns = column.columns([
  column.accessor("name", { header: "Name", share: 30, sortDescFirst: false, cell: ({ row }) => <NameCell apiKey={row.original} /> }),
  column.accessor("permissions", { header: "May", enableSorting: false, cell: ({ getValue }) => <PermissionList names={getValue()} /> }),
  column.accessor("lastUsedAt", { header: "Last used", sortDescFirst: true, cell: ({ getValue }) => <RelativeTime at={getValue()} /> }),
  column.accessor("activity", { header: "36 hours", enableSorting: false, cell: ({ getValue }) => <ActivityCell activity={getValue()} /> }),
  column.accessor("requestCount", { header: "Calls", enableSorting: false, cell: ({ getValue }) => <span className="tabular-nums">{getValue().toLocaleString("en")}</span> }),
  column.accessor("expiresAt", { header: "Expires", sortDescFirst: false, cell: ({ getValue }) => <RelativeTime at={getValue()} /> }),
  column.accessor("status", { header: "Status", enableSorting: false, cell: ({ getValue }) => <Badge dot tone={statusTones[getValue()]}>{getValue()}</Badge> }),
]);

export const columns = column.columns([
  column.display({ id: "select", header: () => <SelectAll />, cell: ({ row }) => <SelectKey apiKey={row.original} /> }),
  ...lookColumns,
  column.display({ id: "actions", header: () => <span className="sr-only">Actions</span>, cell: ({ row }) => <div className="flex justify-end"><KeyMenu apiKey={row.original} /></div> }),
]);

function NameCell({ apiKey }: { apiKey: ApiKeyView }) {
  const marks = useTableContext().reminders.get(apiKey.id) ?? [];
  return (
    <div className="min-w-0">
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <Link href={`/keys/${apiKey.id}`} prefetch={false} className="group/whole min-w-0 font-medium underline decoration-transparent underline-offset-4 transition-colors hover:decoration-current"><Truncate>{apiKey.name}</Truncate></Link>
        {marks.map((kind) => <ReminderMark key={kind} kind={kind} />)}
      </p>
      <p className="font-mono text-xs text-muted">{apiKey.start}…{apiKey.last4}</p>
    </div>
  );
}

/** The first, and the others once somebody asks: that works by touch and by keyboard alike. */
function PermissionList({ names }: { names: string[] }) {
  const [isOpen, setOpen] = useState(false);
  const all = names.includes("*") || names.length === permissionNames.length;
  const shown = isOpen ? names : names.slice(0, 1);
  const rest = names.length - shown.length;
  if (all) return <Badge tone="warn">everything</Badge>;
  return (
    <span className="flex flex-wrap items-center gap-1">
      {shown.map((name) => <Badge key={name} tone="water" className="font-mono font-normal">{name}</Badge>)}
      {rest > 0 && <button type="button" title={names.slice(1).join(", ")} onClick={() => setOpen(true)} className="rounded-sm px-1 py-0.5 text-xs text-muted underline decoration-dotted underline-offset-4">and {rest} more<span className="sr-only"> permissions</span></button>}
    </span>
  );
}
