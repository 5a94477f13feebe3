"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { ListTree, SearchX } from "lucide-react";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useMemo, useState } from "react";
import { Badge } from "@/app/_components/ui/badge";
import { Button } from "@/app/_components/ui/button";
import { Card } from "@/app/_components/ui/card";
import { columnsOf, DataTable } from "@/app/_components/ui/data-table";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { FailedState } from "@/app/_components/ui/failed-state";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { requestPage } from "@/app/_components/ui/request-reference";
import { Select } from "@/app/_components/ui/select";
import { Truncate } from "@/app/_components/ui/truncate";
import { keyChoices, pageQuery, type RequestFilter, requestFilterFrom, spanChoices, statusChoices } from "./filter";
import { LookUp } from "./look-up";
import { PortalSwitch } from "./portal-switch";
import { type RequestsPage, requestsQuery, type ShownRequest } from "./requests-query";
import { toneOf } from "./tone";

type Props = {
  /** Whose calls: one's own, or everybody's for administrators. */
  scope: "own" | "all";
  initial: RequestsPage;
  keys: { id: string; name: string }[];
};

const column = columnsOf<ShownRequest>();

/** Under the code, which says more than its number. */
function Outcome({ request: { status, code, requestId } }: { request: ShownRequest }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <Badge dot tone={toneOf({ status, code })}>{status}</Badge>
      {code && <span className="font-mono text-xs text-muted">{code}</span>}
      {status >= 400 && status < 500 && status !== 499 && <Link href={requestPage(requestId)} className="text-xs text-primary-ink underline underline-offset-4">why?<span className="sr-only"> Request {requestId}</span></Link>}
    </span>
  );
}

const shortOf = (id: string) => `…${id.slice(-8)}`;

/** What has no name any more, or none yet, is known by the end of its id. */
function Named({ name, id }: { name: string | undefined; id: string }) {
  return name === undefined ? <span className="font-mono text-xs whitespace-nowrap" title={id}>{shortOf(id)}</span> : <Truncate>{name}</Truncate>;
}

const isKeyId = (key: string) => keyChoices.every(({ value }) => value !== key);

/** The calls as they come: filter in the URL, refreshed by themselves. A call opens its details. */
export function RequestsTable({ scope, initial, keys }: Props) {
  const params = useSearchParams();
  const filter = requestFilterFrom(Object.fromEntries(params));
  const [first] = useState(() => pageQuery(filter));
  const requests = useInfiniteQuery({ ...requestsQuery(scope === "own" ? "/api/v1/requests" : "/api/v1/admin/requests", filter), ...(first === pageQuery(filter) && { initialData: { pages: [initial], pageParams: [null] } }) });
  const base = scope === "own" ? "/requests" : "/admin/requests";
  const remember = (next: RequestFilter) => window.history.replaceState(null, "", pageQuery(next) ? `${base}?${pageQuery(next)}` : base);

  const rows = useMemo(() => requests.data?.pages.flatMap((page) => page.requests) ?? [], [requests.data]);
  // An administrator's rows bring the names along: nobody's list could hold everybody's keys.
  const nameOf = useMemo(() => new Map([...rows.flatMap(({ apiKeyId, keyName }) => (apiKeyId && keyName ? [[apiKeyId, keyName] as const] : [])), ...keys.map(({ id, name }) => [id, name] as const)]), [rows, keys]);
  const userOf = useMemo(() => new Map(rows.flatMap(({ userId, user }) => (userId && user ? [[userId, user] as const] : []))), [rows]);
  const columns = useMemo(() => column.columns([
    column.accessor("at", {
      header: "When", enableSorting: false,
      cell: ({ row: { original: request } }) => <Link href={requestPage(request.requestId)} className="rounded-sm underline decoration-line-strong underline-offset-4 hover:decoration-current"><RelativeTime at={request.at} /><span className="sr-only">, request {request.requestId}</span></Link>,
    }),
    column.accessor("route", { header: "Call", share: 30, enableSorting: false, cell: ({ row: { original: request } }) => <span className="font-mono text-xs break-all"><span className="font-semibold">{request.method}</span> {request.route}</span> }),
    column.accessor("status", { header: "Answer", enableSorting: false, cell: ({ row }) => <Outcome request={row.original} /> }),
    column.accessor("ms", { header: "Time", enableSorting: false, cell: ({ getValue }) => <span className="whitespace-nowrap tabular-nums">{getValue().toLocaleString("en")} ms</span> }),
    column.accessor("credits", { header: "Credits", enableSorting: false, cell: ({ getValue }) => <span className="tabular-nums">{getValue() || "–"}</span> }),
    column.accessor("apiKeyId", { header: "Key", share: 16, enableSorting: false, cell: ({ getValue, row }) => { const id = getValue(); return id ? <Named name={nameOf.get(id)} id={id} /> : <span className="text-muted">{row.original.portal ? "this portal" : "none"}</span>; } }),
    ...(scope === "all" ? [column.accessor("userId", { header: "Person", share: 14, enableSorting: false, cell: ({ getValue }) => { const id = getValue(); return id ? <Link href={`/admin/requests?user=${id}`} className="group/whole block underline decoration-line-strong underline-offset-4"><Named name={userOf.get(id)} id={id} /></Link> : null; } })] : []),
  ]), [nameOf, userOf, scope]);

  const isFiltered = pageQuery(filter) !== "";
  const showAll = () => remember(requestFilterFrom({}));
  return (
    <Card>
      <div className="flex flex-wrap items-center gap-2 border-b p-3">
        <div role="search" aria-label="Filter requests" className="flex flex-wrap items-center gap-2">
          <Select aria-label="Key" className="w-44" value={filter.key} choices={[...keyChoices, ...keys.map(({ id, name }) => ({ value: id, label: name })), ...(isKeyId(filter.key) && !keys.some(({ id }) => id === filter.key) ? [{ value: filter.key, label: nameOf.get(filter.key) ?? shortOf(filter.key) }] : [])]} onValueChange={(key) => remember({ ...filter, key })} />
          <Select aria-label="Status" className="w-40" value={filter.status} choices={statusChoices} onValueChange={(status) => remember({ ...filter, status })} />
          <Select aria-label="Time" className="w-40" value={filter.span} choices={spanChoices} onValueChange={(span) => remember({ ...filter, span })} />
          <PortalSwitch on={filter.portal} onChange={(portal) => remember({ ...filter, portal })} />
          {filter.user && <Badge tone="water"><Truncate>{userOf.get(filter.user) ?? "one person"}</Truncate>{" "}<button type="button" className="ml-1 underline" onClick={() => remember({ ...filter, user: null })}>show all</button></Badge>}
        </div>
        <LookUp />
      </div>
      {requests.isError && requests.data ? <p role="status" className="border-b bg-brass-soft px-4 py-2 text-sm text-brass-ink">This list is not fresh: {requests.error.message}</p> : null}
      {requests.isError && !requests.data
        ? <FailedState title="The requests could not be read" action={<Button variant="secondary" onClick={() => void requests.refetch()}>Try again</Button>}>{requests.error.message}</FailedState>
        : (
          <DataTable
            columns={columns} rows={rows} rowId={(request) => `${request.at} ${request.requestId} ${request.route}`} caption={scope === "own" ? "Your requests, newest first" : "Everybody's requests, newest first"}
            empty={isFiltered
              ? <EmptyState icon={SearchX} title="No request matches" action={<Button variant="secondary" onClick={showAll}>Show all requests</Button>}>Try another key, status or time, or include calls from this portal.</EmptyState>
              : <EmptyState icon={ListTree} title="No requests yet">What your programs call shows here a moment later, refused calls too.</EmptyState>}
          />
        )}
      {requests.hasNextPage && <div className="border-t p-3 text-center"><Button variant="quiet" busy={requests.isFetchingNextPage} onClick={() => void requests.fetchNextPage()}>Show more</Button></div>}
    </Card>
  );
}
