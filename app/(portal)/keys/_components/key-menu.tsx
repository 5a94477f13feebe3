"use client";

import { useQueryClient } from "@tanstack/react-query";
import { CirclePause, CirclePlay, MoreHorizontal, RotateCw, SquareArrowOutUpRight, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useState } from "react";
import { toast } from "sonner";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuSeparator, DropdownMenuTrigger } from "@/app/_components/ui/dropdown-menu";
import { setKeyActiveAction } from "../actions";

const RevokeKeyDialog = dynamic(() => import("./revoke-key-dialog").then((file) => file.RevokeKeyDialog));
const DisableKeyDialog = dynamic(() => import("./disable-key-dialog").then((file) => file.DisableKeyDialog));

/** What can be done to one key. A revoked one can only be looked at. */
export function KeyMenu({ apiKey }: { apiKey: ApiKeyView }) {
  const queries = useQueryClient();
  const [asked, setAsked] = useState<"revoke" | "disable" | null>(null);
  const again = () => void queries.invalidateQueries({ queryKey: ["api-keys"] });
  const close = () => setAsked(null);

  async function enable() {
    const result = await setKeyActiveAction({ id: apiKey.id, isActive: true });
    again();
    if (result.ok) toast.success(`“${apiKey.name}” works again`);
    else toast.error("The key stays disabled", { description: result.problem.detail });
  }

  return (
    <>
      <DropdownMenu>
        <DropdownMenuTrigger asChild><Button variant="quiet" size="icon-sm" aria-label={`Actions for ${apiKey.name}`}><MoreHorizontal aria-hidden /></Button></DropdownMenuTrigger>
        <DropdownMenuContent align="end">
          <DropdownMenuItem asChild><Link href={`/keys/${apiKey.id}`} prefetch={false}><SquareArrowOutUpRight aria-hidden />Open</Link></DropdownMenuItem>
          {apiKey.status !== "revoked" && (
            <>
              {apiKey.status !== "expired" && <DropdownMenuItem asChild><Link href={`/keys/${apiKey.id}#rotation`} prefetch={false}><RotateCw aria-hidden />Rotate</Link></DropdownMenuItem>}
              {apiKey.isActive
                ? <DropdownMenuItem onSelect={() => setAsked("disable")}><CirclePause aria-hidden />Disable</DropdownMenuItem>
                : <DropdownMenuItem onSelect={() => void enable()}><CirclePlay aria-hidden />Enable</DropdownMenuItem>}
              <DropdownMenuSeparator />
              <DropdownMenuItem tone="danger" onSelect={() => setAsked("revoke")}><Trash2 aria-hidden />Revoke</DropdownMenuItem>
            </>
          )}
        </DropdownMenuContent>
      </DropdownMenu>
      {asked === "revoke" && <RevokeKeyDialog apiKey={apiKey} onClose={close} onRevoked={() => { again(); toast.success(`“${apiKey.name}” is revoked`, { description: "No call with it is admitted any more." }); }} />}
      {asked === "disable" && <DisableKeyDialog apiKey={apiKey} onClose={close} onDisabled={again} />}
    </>
  );
}
