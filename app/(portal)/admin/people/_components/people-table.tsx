"use client";

import { SearchX, Users } from "lucide-react";
import Link from "next/link";
import type { PersonRow } from "@/lib/people/schemas";
import { Badge } from "@/app/_components/ui/badge";
import { columnsOf, DataTable, type SortingState } from "@/app/_components/ui/data-table";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { Truncate } from "@/app/_components/ui/truncate";
import { useListFilter } from "../../_components/list-filter";
import { path, type PeopleFilter } from "./filter";
import { stateWords } from "./state-words";

const column = columnsOf<PersonRow>();
const columns = column.columns([
  column.accessor("username", { header: "Person", share: 34, sortFn: "text", cell: ({ row: { original: person } }) => (
    <div className="min-w-0">
      <Link href={`${path}/${person.id}`} prefetch={false} className="group/whole block font-medium underline decoration-line-strong underline-offset-4 hover:decoration-current"><Truncate>{person.username}</Truncate></Link>
      <Truncate className="text-xs text-muted">{[person.name, person.email].filter(Boolean).join(" · ") || "no name or email"}</Truncate>
    </div>
  ) }),
  column.accessor("role", { header: "Role", enableSorting: false, cell: ({ getValue }) => getValue() ?? <span className="text-muted">none</span> }),
  column.accessor("tenant", { header: "Tenant", share: 14, enableSorting: false, cell: ({ getValue }) => <Truncate>{getValue()}</Truncate> }),
  column.accessor("credits", { header: "Credits", enableSorting: false, cell: ({ getValue }) => <span className="tabular-nums">{getValue().toLocaleString("en")}</span> }),
  column.accessor("last_seen_at", { header: "Last signed in", sortDescFirst: true, cell: ({ getValue }) => <RelativeTime at={getValue()} /> }),
  column.accessor("created_at", { header: "Known since", sortDescFirst: true, cell: ({ getValue }) => <RelativeTime at={getValue()} /> }),
  column.display({ id: "state", header: "State", cell: ({ row }) => {
    const { label, tone } = stateWords(row.original);
    return <Badge dot tone={tone}>{label}</Badge>;
  } }),
]);

/** Sorted by the server over all pages, so who asks for another order goes there. */
export function PeopleTable({ rows, filter, isFiltered, canSync }: { rows: PersonRow[]; filter: PeopleFilter; isFiltered: boolean; canSync: boolean }) {
  const { show } = useListFilter();
  const desc = filter.order ? filter.order === "desc" : filter.sort !== "username";
  const sort = ([by]: SortingState) => by && show({ sort: by.id, order: by.desc ? "desc" : "asc" });
  return (
    <DataTable
      columns={columns} rows={rows} rowId={(person) => person.id} caption="People" sorting={[{ id: filter.sort, desc }]} onSort={sort} isFaded={(person) => !person.is_active}
      empty={isFiltered
        ? <EmptyState icon={SearchX} title="Nobody matches">Try another word, role, state or tenant.</EmptyState>
        : <EmptyState icon={Users} title="Nobody is known here yet">{canSync ? "People appear when they first sign in, or with a sync." : "People appear when they first sign in. With a service account they could be copied from Keycloak."}</EmptyState>}
    />
  );
}
