"use client";

import { CirclePause, CirclePlay, RotateCw, SquareArrowOutUpRight, Trash2 } from "lucide-react";
import Link from "next/link";
import type { ReactElement } from "react";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuSeparator, DropdownMenuTrigger } from "@/app/_components/ui/dropdown-menu";

type KeyMenuPanelProps = { trigger: ReactElement; apiKey: ApiKeyView; onEnable: () => void; onAsk: (what: "revoke" | "disable") => void };

/** The menu of a row, open from the start: it is fetched when somebody asks for it. */
export function KeyMenuPanel({ trigger, apiKey, onEnable, onAsk }: KeyMenuPanelProps) {
  return (
    <DropdownMenu defaultOpen>
      <DropdownMenuTrigger asChild>{trigger}</DropdownMenuTrigger>
      <DropdownMenuContent align="end">
        <DropdownMenuItem asChild><Link href={`/keys/${apiKey.id}`} prefetch={false}><SquareArrowOutUpRight aria-hidden />Open</Link></DropdownMenuItem>
        {apiKey.status !== "revoked" && (
          <>
            {apiKey.status !== "expired" && <DropdownMenuItem asChild><Link href={`/keys/${apiKey.id}#rotation`} prefetch={false}><RotateCw aria-hidden />Rotate</Link></DropdownMenuItem>}
            {apiKey.isActive
              ? <DropdownMenuItem onSelect={() => onAsk("disable")}><CirclePause aria-hidden />Disable</DropdownMenuItem>
              : <DropdownMenuItem onSelect={onEnable}><CirclePlay aria-hidden />Enable</DropdownMenuItem>}
            <DropdownMenuSeparator />
            <DropdownMenuItem tone="danger" onSelect={() => onAsk("revoke")}><Trash2 aria-hidden />Revoke</DropdownMenuItem>
          </>
        )}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
