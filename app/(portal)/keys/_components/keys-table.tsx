"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { KeyRound, Search, SearchX } from "lucide-react";
import { useSearchParams } from "next/navigation";
import { type ReactNode, useDeferredValue, useMemo, useState } from "react";
import type { KeyReminder, KeySort } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { Card } from "@/app/_components/ui/card";
import { DataTable } from "@/app/_components/ui/data-table";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { FailedState } from "@/app/_components/ui/failed-state";
import { Input } from "@/app/_components/ui/input";
import { Select } from "@/app/_components/ui/select";
import { BulkBar } from "./bulk-bar";
import { keyFilterFrom, keyQueryString, restingFilter, sortChoices, statusChoices } from "./filter";
import { columns, lookColumns } from "./key-columns";
import { type KeysPage, keysQuery } from "./keys-query";
import { TableContextProvider } from "./table-context";

type KeysTableProps = { initial: KeysPage; reminders: readonly KeyReminder[]; mayManage: boolean; /** Stands in the empty face. */ create: ReactNode };

/** The keys as they are now: filter and sort in the URL, counts that refresh themselves, several at a time to be revoked. */
export function KeysTable({ initial, reminders, mayManage, create }: KeysTableProps) {
  const params = useSearchParams();
  const filter = keyFilterFrom(Object.fromEntries(params));
  const [q, setQ] = useState(filter.q);
  const shown = { ...filter, q: useDeferredValue(q.trim()) };
  const [first] = useState(keyQueryString(filter));
  const keys = useInfiniteQuery({ ...keysQuery(shown), ...(first === keyQueryString(shown) && { initialData: { pages: [initial], pageParams: [null] } }) });
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());

  // Next.js follows `replaceState`, and the server is not asked for a page that the query fills anyway.
  function remember(next: typeof filter) {
    const query = keyQueryString(next);
    window.history.replaceState(null, "", query ? `/keys?${query}` : "/keys");
  }

  const rows = useMemo(() => keys.data?.pages.flatMap((page) => page.keys) ?? [], [keys.data]);
  const marks = useMemo(() => {
    const byKey = new Map<string, KeyReminder["kind"][]>();
    for (const { apiKeyId, kind } of reminders) byKey.set(apiKeyId, [...(byKey.get(apiKeyId) ?? []), kind]);
    return byKey;
  }, [reminders]);
  // What is ticked and not shown any more (another filter, revoked meanwhile) is not chosen: nobody revokes what they do not see.
  const selectable = useMemo(() => rows.filter((key) => key.status !== "revoked"), [rows]);
  const chosen = selectable.filter((key) => ticked.has(key.id));
  const context = useMemo(() => ({
    reminders: marks, selected: ticked, selectable: selectable.map((key) => key.id),
    select: (ids: readonly string[], isOn: boolean) => setTicked((now) => new Set(isOn ? [...now, ...ids] : [...now].filter((id) => !ids.includes(id)))),
  }), [marks, ticked, selectable]);

  const isFiltered = filter.status !== "all" || shown.q !== "";
  const sortValue = `${filter.sort}.${filter.order}` as const;
  return (
    <Card aria-busy={keys.isPlaceholderData || undefined}>
      <div role="search" className="flex flex-wrap gap-2 border-b p-3">
        <div className="relative min-w-52 flex-1">
          <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
          <Input type="search" aria-label="Search keys by name, start or last four" placeholder="Search name, start or last four" className="pl-9" maxLength={100} value={q} onChange={(event) => { setQ(event.target.value); remember({ ...filter, q: event.target.value.trim() }); }} />
        </div>
        <Select aria-label="Status" className="w-36" value={filter.status} choices={statusChoices} onValueChange={(status) => remember({ ...filter, status })} />
        <Select aria-label="Sort" className="w-40" value={sortValue} choices={sortChoices} onValueChange={(value) => { const { sort, order } = sortFrom(value); remember({ ...filter, sort, order }); }} />
      </div>
      {keys.isError && keys.data
        ? <p role="status" className="border-b bg-brass-soft px-4 py-2 text-sm text-brass-ink">These numbers are not fresh: {keys.error.message}</p>
        : null}
      {chosen.length > 0 && <BulkBar chosen={chosen} shown={selectable.length} onSelectAll={() => context.select(context.selectable, true)} onClear={() => setTicked(new Set())} />}
      {keys.isError && !keys.data
        ? <FailedState title="The keys could not be read" action={<Button variant="secondary" onClick={() => void keys.refetch()}>Try again</Button>}>{keys.error.message}</FailedState>
        : (
          <TableContextProvider value={context}>
            <DataTable
              columns={mayManage ? columns : lookColumns} rows={rows} rowId={(key) => key.id} caption="Your API keys" isFaded={(key) => key.status === "revoked" || key.status === "expired"}
              sorting={[{ id: filter.sort, desc: filter.order === "desc" }]}
              onSort={([next]) => next && remember({ ...filter, sort: next.id as KeySort, order: next.desc ? "desc" : "asc" })}
              empty={isFiltered
                ? <EmptyState icon={SearchX} title="No key matches" action={<Button variant="secondary" onClick={() => { setQ(""); remember(restingFilter); }}>Show all keys</Button>}>Try another word or status.</EmptyState>
                : <EmptyState icon={KeyRound} title="No keys yet" action={create}>A key lets a program call your chatflows and NFlow as you, within the limits that you set.</EmptyState>}
            />
          </TableContextProvider>
        )}
      {keys.hasNextPage && <div className="border-t p-3 text-center"><Button variant="quiet" busy={keys.isFetchingNextPage} onClick={() => void keys.fetchNextPage()}>Show more</Button></div>}
    </Card>
  );
}

const sortFrom = (value: (typeof sortChoices)[number]["value"]) => keyFilterFrom({ sort: value.split(".")[0], order: value.split(".")[1] });
