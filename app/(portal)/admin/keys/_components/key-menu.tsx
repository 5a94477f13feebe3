"use client";

import { CirclePause, CirclePlay, MoreHorizontal, Trash2 } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import type { AnyKeyView } from "@/lib/keys/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuSeparator, DropdownMenuTrigger } from "@/app/_components/ui/dropdown-menu";
import { revokeAnyKeyAction, setAnyKeyActiveAction } from "../actions";

export function AnyKeyMenu({ apiKey }: { apiKey: AnyKeyView }) {
  const [asked, setAsked] = useState<"revoke" | "disable" | null>(null);
  if (apiKey.status === "revoked") return null;

  async function setActive(isActive: boolean): Promise<string | null> {
    const result = await setAnyKeyActiveAction({ id: apiKey.id, isActive });
    if (!result.ok) return refusalText(result.problem);
    toast.success(isActive ? `“${apiKey.name}” works again` : `“${apiKey.name}” is disabled`);
    return null;
  }

  async function revoke(): Promise<string | null> {
    const result = await revokeAnyKeyAction({ id: apiKey.id, cascade: true });
    if (!result.ok) return refusalText(result.problem);
    toast.success(`“${apiKey.name}” is revoked`, { description: "No call with it is admitted any more." });
    return null;
  }

  return (
    <>
      <DropdownMenu>
        <DropdownMenuTrigger asChild><Button variant="quiet" size="icon-sm" aria-label={`Actions for ${apiKey.name}`}><MoreHorizontal aria-hidden /></Button></DropdownMenuTrigger>
        <DropdownMenuContent align="end">
          {apiKey.isActive
            ? <DropdownMenuItem onSelect={() => setAsked("disable")}><CirclePause aria-hidden />Disable</DropdownMenuItem>
            : <DropdownMenuItem onSelect={() => void setActive(true).then((failure) => { if (failure) toast.error(failure); })}><CirclePlay aria-hidden />Enable</DropdownMenuItem>}
          <DropdownMenuSeparator />
          <DropdownMenuItem tone="danger" onSelect={() => setAsked("revoke")}><Trash2 aria-hidden />Revoke</DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
      <Confirm open={asked === "revoke"} onOpenChange={(next) => setAsked(next ? "revoke" : null)} title={`Revoke “${apiKey.name}”?`} action="Revoke key" phrase={apiKey.name} onConfirm={revoke}>
        <p>It is {apiKey.user}’s ({apiKey.tenant}). Programs that use <code className="font-mono">{apiKey.start}…{apiKey.last4}</code> are refused from now on, everywhere and at once, and so are keys that it made.</p>
        <p>This cannot be undone.</p>
      </Confirm>
      <Confirm open={asked === "disable"} onOpenChange={(next) => setAsked(next ? "disable" : null)} title={`Disable “${apiKey.name}”?`} action="Disable key" onConfirm={() => setActive(false)}>
        <p>Programs of {apiKey.user} that use it are refused until it is enabled again.</p>
      </Confirm>
    </>
  );
}
