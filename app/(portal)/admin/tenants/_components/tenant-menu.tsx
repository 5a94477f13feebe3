"use client";

import { CirclePause, CirclePlay, Coins, MoreHorizontal, Pencil } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { toast } from "sonner";
import type { TenantView } from "@/lib/tenants/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { Dialog, DialogContent } from "@/app/_components/ui/dialog";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuSeparator, DropdownMenuTrigger } from "@/app/_components/ui/dropdown-menu";
import { FormLoading } from "@/app/_components/ui/skeleton";
import { updateTenantAction } from "../actions";

const TenantForm = dynamic(() => import("./tenant-form").then((file) => file.TenantForm), { loading: () => <FormLoading /> });
const TenantCreditsForm = dynamic(() => import("./tenant-credits-form").then((file) => file.TenantCreditsForm), { loading: () => <FormLoading /> });

export function TenantMenu({ tenant, plans, isOwn, mayAdjust }: { tenant: TenantView; plans: string[]; isOwn: boolean; mayAdjust: boolean }) {
  const [asked, setAsked] = useState<"edit" | "credits" | "off" | null>(null);
  const close = () => setAsked(null);

  async function setActive(isActive: boolean): Promise<string | null> {
    const result = await updateTenantAction({ id: tenant.id, isActive });
    if (!result.ok) return refusalText(result.problem);
    toast.success(isActive ? `“${tenant.name}” is back` : `“${tenant.name}” is switched off`);
    return null;
  }

  return (
    <div className="flex justify-end">
      <DropdownMenu>
        <DropdownMenuTrigger asChild><Button variant="quiet" size="icon-sm" aria-label={`Actions for ${tenant.name}`}><MoreHorizontal aria-hidden /></Button></DropdownMenuTrigger>
        <DropdownMenuContent align="end">
          <DropdownMenuItem onSelect={() => setAsked("edit")}><Pencil aria-hidden />Edit</DropdownMenuItem>
          {mayAdjust && <DropdownMenuItem onSelect={() => setAsked("credits")}><Coins aria-hidden />Give or take credits</DropdownMenuItem>}
          {!isOwn && <DropdownMenuSeparator />}
          {!isOwn && (tenant.isActive
            ? <DropdownMenuItem tone="danger" onSelect={() => setAsked("off")}><CirclePause aria-hidden />Switch off</DropdownMenuItem>
            : <DropdownMenuItem onSelect={() => void setActive(true).then((failure) => { if (failure) toast.error(failure); })}><CirclePlay aria-hidden />Switch on</DropdownMenuItem>)}
        </DropdownMenuContent>
      </DropdownMenu>
      <Dialog open={asked === "edit" || asked === "credits"} onOpenChange={(open) => { if (!open) close(); }}>
        {asked === "edit" && <DialogContent wide title={`Edit “${tenant.name}”`} description="A changed limit holds on every server as soon as it is saved."><TenantForm tenant={tenant} plans={plans} onDone={close} /></DialogContent>}
        {asked === "credits" && <DialogContent title={`Credits of “${tenant.name}”`} description="The tenant’s own account, from which its people draw where credits are shared."><TenantCreditsForm tenantId={tenant.id} name={tenant.name} onDone={close} /></DialogContent>}
      </Dialog>
      <Confirm open={asked === "off"} onOpenChange={(open) => { if (!open) close(); }} title={`Switch off “${tenant.name}”?`} action="Switch off" onConfirm={() => setActive(false)}>
        <p>{tenant.users.toLocaleString("en")} {tenant.users === 1 ? "person is" : "people are"} shut out at once, and every key of theirs is refused, until you switch it on again.</p>
      </Confirm>
    </div>
  );
}
