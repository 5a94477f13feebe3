"use client";

import { Building2, SearchX } from "lucide-react";
import type { ReactNode } from "react";
import type { TenantView } from "@/lib/tenants/schemas";
import { Badge } from "@/app/_components/ui/badge";
import { columnsOf, DataTable } from "@/app/_components/ui/data-table";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { Truncate } from "@/app/_components/ui/truncate";
import { LimitsWords } from "../../_components/limits-words";
import { TenantMenu } from "./tenant-menu";

type Row = TenantView & { plans: string[]; isOwn: boolean; mayAdjust: boolean };

const column = columnsOf<Row>();
const columns = column.columns([
  column.accessor("name", { header: "Tenant", share: 26, sortFn: "text", cell: ({ row: { original: tenant } }) => (
    <div className="min-w-0"><p className="flex items-baseline gap-2 font-medium"><Truncate className="min-w-0">{tenant.name}</Truncate>{tenant.isOwn && <span className="shrink-0 text-xs font-normal text-muted">yours</span>}</p><Truncate className="font-mono text-xs text-muted">{tenant.slug}</Truncate></div>
  ) }),
  column.accessor("plan", { header: "Plan", share: 14, sortFn: "text", cell: ({ getValue }) => <Truncate>{getValue()}</Truncate> }),
  column.display({ id: "limits", header: "Limits in force", cell: ({ row }) => <LimitsWords limits={row.original.limitsInForce} none="" /> }),
  column.accessor("creditMode", { header: "Credits", enableSorting: false, cell: ({ getValue }) => (getValue() === "tenant" ? "shared" : "per person") }),
  column.accessor("users", { header: "People", cell: ({ getValue }) => <span className="tabular-nums">{getValue().toLocaleString("en")}</span> }),
  column.accessor("isActive", { header: "Status", enableSorting: false, cell: ({ getValue }) => (getValue() ? <Badge dot tone="good">active</Badge> : <Badge dot tone="warn">switched off</Badge>) }),
  column.display({ id: "actions", header: () => <span className="sr-only">Actions</span>, cell: ({ row: { original: { plans, isOwn, mayAdjust, ...tenant } } }) => <TenantMenu tenant={tenant} plans={plans} isOwn={isOwn} mayAdjust={mayAdjust} /> }),
]);

export function TenantsTable({ rows, plans, ownTenantId, mayAdjust, isFiltered, isPart, create }: { rows: TenantView[]; plans: string[]; ownTenantId: string; mayAdjust: boolean; isFiltered: boolean; isPart: boolean; create: ReactNode }) {
  return (
    <DataTable
      columns={columns} rows={rows.map((tenant) => ({ ...tenant, plans, isOwn: tenant.id === ownTenantId, mayAdjust }))} rowId={(tenant) => tenant.id} caption="Tenants" isPart={isPart} isFaded={(tenant) => !tenant.isActive}
      empty={isFiltered
        ? <EmptyState icon={SearchX} title="No tenant matches">Try another word.</EmptyState>
        : <EmptyState icon={Building2} title="No tenants yet" action={create}>A tenant comes by itself with its first person, or is made here before.</EmptyState>}
    />
  );
}
