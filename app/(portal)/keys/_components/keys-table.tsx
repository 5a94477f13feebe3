"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { KeyRound, Search, SearchX } from "lucide-react";
import { useSearchParams } from "next/navigation";
import { type ReactNode, useDeferredValue, useState } from "react";
import { permissionNames } from "@/lib/access/permissions";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { Badge, type Tone } from "@/app/_components/ui/badge";
import { Button } from "@/app/_components/ui/button";
import { Card } from "@/app/_components/ui/card";
import { columnsOf, DataTable } from "@/app/_components/ui/data-table";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { FailedState } from "@/app/_components/ui/failed-state";
import { Input } from "@/app/_components/ui/input";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { Select } from "@/app/_components/ui/select";
import { Tooltip } from "@/app/_components/ui/tooltip";
import { keyFilterFrom, keyQueryString, statusChoices } from "./filter";
import { KeyMenu } from "./key-menu";
import { type KeysPage, keysQuery } from "./keys-query";

const tones: Record<ApiKeyView["status"], Tone> = { active: "good", disabled: "warn", expired: "neutral", revoked: "bad" };
const column = columnsOf<ApiKeyView>();
const at = (iso: string | null) => (iso ? Date.parse(iso) : 0);

const columns = column.columns([
  column.accessor("name", {
    header: "Name", sortFn: "text",
    cell: ({ row: { original: key } }) => (
      <div className="min-w-0">
        <p className="font-medium break-words">{key.name}</p>
        <p className="font-mono text-xs text-muted">{key.start}…{key.last4}</p>
      </div>
    ),
  }),
  column.accessor("permissions", { header: "May", enableSorting: false, cell: ({ getValue }) => <PermissionList names={getValue()} /> }),
  column.accessor((key) => at(key.lastUsedAt), { id: "lastUsedAt", header: "Last used", cell: ({ row }) => <RelativeTime at={row.original.lastUsedAt} /> }),
  column.accessor("requestCount", { header: "Calls", cell: ({ getValue }) => <span className="tabular-nums">{getValue().toLocaleString("en")}</span> }),
  column.accessor((key) => (key.expiresAt ? at(key.expiresAt) : Infinity), { id: "expiresAt", header: "Expires", cell: ({ row }) => <RelativeTime at={row.original.expiresAt} /> }),
  column.accessor("status", { header: "Status", sortFn: "text", cell: ({ getValue }) => <Badge dot tone={tones[getValue()]}>{getValue()}</Badge> }),
  column.display({ id: "actions", header: () => <span className="sr-only">Actions</span>, cell: ({ row }) => <div className="flex justify-end"><KeyMenu apiKey={row.original} /></div> }),
]);

function PermissionList({ names }: { names: string[] }) {
  const all = names.includes("*") || names.length === permissionNames.length;
  const [first, ...rest] = names;
  if (all) return <Badge tone="warn">everything</Badge>;
  return (
    <span className="flex flex-wrap items-center gap-1">
      {first && <Badge tone="water" className="font-mono font-normal">{first}</Badge>}
      {rest.length > 0 && <Tooltip content={<span className="font-mono">{rest.join(", ")}</span>}><button type="button" className="rounded-sm px-1 text-xs text-muted underline decoration-dotted underline-offset-4">and {rest.length} more<span className="sr-only">: {rest.join(", ")}</span></button></Tooltip>}
    </span>
  );
}

/** The keys as they are now: filter in the URL, counts that refresh themselves. `create` stands in the empty face. */
export function KeysTable({ initial, create }: { initial: KeysPage; create: ReactNode }) {
  const params = useSearchParams();
  const filter = keyFilterFrom({ q: params.get("q") ?? "", status: params.get("status") });
  const [q, setQ] = useState(filter.q);
  const shown = { ...filter, q: useDeferredValue(q.trim()) };
  const [first] = useState(filter);
  const isFirst = first.q === shown.q && first.status === shown.status;
  const keys = useInfiniteQuery({ ...keysQuery(shown), ...(isFirst && { initialData: { pages: [initial], pageParams: [null] } }) });

  // Next.js follows `replaceState`, and the server is not asked for a page that the query fills anyway.
  function remember(next: typeof filter) {
    const query = keyQueryString(next);
    window.history.replaceState(null, "", query ? `/keys?${query}` : "/keys");
  }

  const rows = keys.data?.pages.flatMap((page) => page.keys) ?? [];
  const isFiltered = filter.status !== "all" || shown.q !== "";
  return (
    <Card>
      <div role="search" className="flex flex-wrap gap-2 border-b p-3">
        <div className="relative min-w-52 flex-1">
          <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
          <Input type="search" aria-label="Search keys by name, start or last four" placeholder="Search name, start or last four" className="pl-9" maxLength={100} value={q} onChange={(event) => { setQ(event.target.value); remember({ ...filter, q: event.target.value.trim() }); }} />
        </div>
        <Select aria-label="Status" className="w-36" value={filter.status} choices={statusChoices} onValueChange={(status) => remember({ ...filter, status })} />
      </div>
      {keys.isError && keys.data
        ? <p role="status" className="border-b bg-brass-soft px-4 py-2 text-sm text-brass-ink">These numbers are not fresh: {keys.error.message}</p>
        : null}
      {keys.isError && !keys.data
        ? <FailedState title="The keys could not be read" action={<Button variant="secondary" onClick={() => void keys.refetch()}>Try again</Button>}>{keys.error.message}</FailedState>
        : (
          <DataTable
            columns={columns} rows={rows} rowId={(key) => key.id} caption="Your API keys" isFaded={(key) => key.status === "revoked" || key.status === "expired"}
            empty={isFiltered
              ? <EmptyState icon={SearchX} title="No key matches" action={<Button variant="secondary" onClick={() => { setQ(""); remember({ q: "", status: "all" }); }}>Show all keys</Button>}>Try another word or status.</EmptyState>
              : <EmptyState icon={KeyRound} title="No keys yet" action={create}>A key lets a program call your chatflows and NFlow as you, within the limits that you set.</EmptyState>}
          />
        )}
      {keys.hasNextPage && <div className="border-t p-3 text-center"><Button variant="quiet" busy={keys.isFetchingNextPage} onClick={() => void keys.fetchNextPage()}>Show more</Button></div>}
    </Card>
  );
}
