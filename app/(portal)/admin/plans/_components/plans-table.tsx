"use client";

import { Layers, Pencil, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { toast } from "sonner";
import type { PlanView } from "@/lib/tenants/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Badge } from "@/app/_components/ui/badge";
import { Button } from "@/app/_components/ui/button";
import { columnsOf, DataTable } from "@/app/_components/ui/data-table";
import { Dialog, DialogContent } from "@/app/_components/ui/dialog";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { FormLoading } from "@/app/_components/ui/skeleton";
import { Truncate } from "@/app/_components/ui/truncate";
import { LimitsWords } from "../../_components/limits-words";
import { deletePlanAction } from "../actions";

const PlanForm = dynamic(() => import("./plan-form").then((file) => file.PlanForm), { loading: () => <FormLoading /> });

const column = columnsOf<PlanView>();
const columns = column.columns([
  column.accessor("name", { header: "Plan", share: 34, sortFn: "text", cell: ({ row: { original: plan } }) => <span className="flex flex-wrap items-center gap-2 font-medium"><Truncate>{plan.name}</Truncate>{plan.isDefault && <Badge tone="water">for new tenants</Badge>}</span> }),
  column.display({ id: "limits", header: "Limits", cell: ({ row }) => <LimitsWords limits={row.original.limits} none="the operator’s" /> }),
  column.accessor("monthlyCredits", { header: "Credits", cell: ({ getValue }) => <span className="tabular-nums">{getValue().toLocaleString("en")}</span> }),
  column.accessor("tenants", { header: "Tenants", cell: ({ getValue }) => <span className="tabular-nums">{getValue().toLocaleString("en")}</span> }),
  column.display({ id: "actions", header: () => <span className="sr-only">Actions</span>, cell: ({ row }) => <PlanActions plan={row.original} /> }),
]);

function PlanActions({ plan }: { plan: PlanView }) {
  const [asked, setAsked] = useState<"edit" | "delete" | null>(null);
  const close = () => setAsked(null);
  return (
    <div className="flex justify-end gap-1">
      <Button variant="quiet" size="icon-sm" aria-label={`Edit ${plan.name}`} onClick={() => setAsked("edit")}><Pencil aria-hidden /></Button>
      {!plan.isDefault && plan.tenants === 0 && <Button variant="quiet" size="icon-sm" aria-label={`Delete ${plan.name}`} onClick={() => setAsked("delete")}><Trash2 aria-hidden /></Button>}
      <Dialog open={asked === "edit"} onOpenChange={(open) => { if (!open) close(); }}>
        <DialogContent wide title={`Edit “${plan.name}”`} description={plan.tenants > 0 ? `A changed limit holds at once for ${plan.tenants.toLocaleString("en")} ${plan.tenants === 1 ? "tenant" : "tenants"}.` : undefined}><PlanForm plan={plan} onDone={close} /></DialogContent>
      </Dialog>
      <Confirm open={asked === "delete"} onOpenChange={(open) => { if (!open) close(); }} title={`Delete “${plan.name}”?`} action="Delete plan" onConfirm={async () => {
        const result = await deletePlanAction({ id: plan.id });
        if (!result.ok) return refusalText(result.problem);
        toast.success(`“${plan.name}” is deleted`);
        return null;
      }}>
        <p>No tenant has it.</p>
      </Confirm>
    </div>
  );
}

export function PlansTable({ rows, isPart }: { rows: PlanView[]; isPart: boolean }) {
  return <DataTable columns={columns} rows={rows} rowId={(plan) => plan.id} caption="Plans" isPart={isPart} empty={<EmptyState icon={Layers} title="No plan matches">Try another word.</EmptyState>} />;
}
