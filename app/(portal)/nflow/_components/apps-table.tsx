"use client";

import { Boxes, Search, SearchX, Trash2 } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useRef, useState, useTransition } from "react";
import { toast } from "sonner";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { Card } from "@/app/_components/ui/card";
import { cn } from "@/app/_components/ui/cn";
import { columnsOf, DataTable } from "@/app/_components/ui/data-table";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { Input } from "@/app/_components/ui/input";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { Truncate } from "@/app/_components/ui/truncate";
import { removeAppAction } from "../actions";
import { appsPath, pageSize } from "./filter";

export type AppRow = { name: string; displayName: string; description: string | null; updatedAt: string | null; mayRemove: boolean };

const column = columnsOf<AppRow>();
const columns = column.columns([
  column.accessor("displayName", { header: "Application", share: 34, sortFn: "text", cell: ({ row: { original: app } }) => (
    <div className="min-w-0"><Truncate className="font-medium">{app.displayName}</Truncate><Truncate className="font-mono text-xs text-muted">{app.name}</Truncate></div>
  ) }),
  column.accessor("description", { header: "Description", share: 34, enableSorting: false, cell: ({ getValue }) => <span className="line-clamp-2 wrap-anywhere text-muted" title={getValue() ?? undefined}>{getValue() ?? ""}</span> }),
  column.accessor((app) => (app.updatedAt ? Date.parse(app.updatedAt) : 0), { id: "updatedAt", header: "Changed", cell: ({ row }) => <RelativeTime at={row.original.updatedAt} never="" /> }),
  column.display({ id: "actions", header: () => <span className="sr-only">Actions</span>, cell: ({ row }) => (row.original.mayRemove ? <RemoveApp app={row.original} /> : null) }),
]);

function RemoveApp({ app }: { app: AppRow }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <div className="flex justify-end">
      <Button variant="quiet" size="icon-sm" aria-label={`Delete ${app.displayName}`} onClick={() => setAsking(true)}><Trash2 aria-hidden /></Button>
      <Confirm open={isAsking} onOpenChange={setAsking} title={`Delete “${app.displayName}”?`} action="Delete application" onConfirm={async () => {
        const result = await removeAppAction({ names: [app.name] });
        if (!result.ok) return refusalText(result.problem);
        toast.success(`“${app.displayName}” is deleted`, { description: "NFlow keeps it recoverable." });
        return null;
      }}>
        <p>Nobody can open <code className="font-mono">{app.name}</code> any more. NFlow can bring it back.</p>
      </Confirm>
    </div>
  );
}

type AppsTableProps = { rows: AppRow[]; q: string; page: number; total: number; create: ReactNode };

export function AppsTable({ rows, q, page, total, create }: AppsTableProps) {
  const router = useRouter();
  const [text, setText] = useState(q);
  const [isSearching, startSearch] = useTransition();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  // NFlow is asked once typing pauses, not at every letter.
  function search(next: string) {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => startSearch(() => router.replace(appsPath({ q: next.trim(), page: 1 }), { scroll: false })), 250);
  }

  const last = Math.max(1, Math.ceil(total / pageSize));
  return (
    <Card>
      <div role="search" className="border-b p-3">
        <div className="relative">
          <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
          <Input type="search" aria-label="Search applications" placeholder="Search applications" className="pl-9" maxLength={100} value={text} onChange={(event) => search(event.target.value)} />
        </div>
      </div>
      <div aria-busy={isSearching} className={cn("transition-opacity", isSearching && "opacity-60")}>
        <DataTable
          columns={columns} rows={rows} rowId={(app) => app.name} caption="NFlow applications"
          empty={q
            ? <EmptyState icon={SearchX} title="No application matches" action={<Button variant="secondary" onClick={() => search("")}>Show all</Button>}>Try another word.</EmptyState>
            : <EmptyState icon={Boxes} title="No applications yet" action={create}>What you create here is made in NFlow in your name.</EmptyState>}
        />
      </div>
      {last > 1 && (
        <nav aria-label="Pages" className="flex items-center justify-between gap-3 border-t px-4 py-3 text-sm">
          <span className="text-muted tabular-nums">Page {page} of {last}</span>
          <span className="flex gap-2">
            {page > 1 && <Button asChild variant="secondary" size="sm"><Link href={appsPath({ q, page: page - 1 })}>Previous</Link></Button>}
            {page < last && <Button asChild variant="secondary" size="sm"><Link href={appsPath({ q, page: page + 1 })}>Next</Link></Button>}
          </span>
        </nav>
      )}
    </Card>
  );
}
