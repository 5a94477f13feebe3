"use client";

import { ChevronsUpDown, LogOut } from "lucide-react";
import { useTransition } from "react";
import { Badge } from "../ui/badge";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuLabel, DropdownMenuSeparator, DropdownMenuTrigger } from "../ui/dropdown-menu";
import { ThemeChoices } from "../ui/theme-choices";

export type Account = { name: string; email: string | null; role: string; tenant: string };

export function AccountMenu({ account, signOut }: { account: Account; signOut: () => Promise<void> }) {
  const [isLeaving, startLeaving] = useTransition();
  return (
    <DropdownMenu>
      <DropdownMenuTrigger className="flex w-full items-center gap-3 rounded-md px-3 py-2 text-left transition-colors hover:bg-rail-active/60 data-[state=open]:bg-rail-active">
        <span aria-hidden className="grid size-8 shrink-0 place-content-center rounded-full bg-rail-active text-xs font-semibold text-rail-text ring-1 ring-rail-line">{initials(account.name)}</span>
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm font-medium text-rail-text"><span className="sr-only">Account of </span>{account.name}</span>
          <span className="block truncate text-xs text-rail-muted">{account.role} in {account.tenant}</span>
        </span>
        <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-rail-muted" />
      </DropdownMenuTrigger>
      <DropdownMenuContent side="top" align="start" className="w-60">
        <div className="px-2.5 py-2 text-sm">
          <p className="truncate font-medium">{account.name}</p>
          {account.email && <p className="truncate text-muted">{account.email}</p>}
          <p className="mt-2 flex gap-1.5"><Badge tone="water">{account.role}</Badge><Badge tone="outline">{account.tenant}</Badge></p>
        </div>
        <DropdownMenuSeparator />
        <DropdownMenuLabel>Appearance</DropdownMenuLabel>
        <ThemeChoices />
        <DropdownMenuSeparator />
        <DropdownMenuItem disabled={isLeaving} onSelect={(event) => { event.preventDefault(); startLeaving(signOut); }}>
          <LogOut aria-hidden />{isLeaving ? "Signing out…" : "Sign out"}
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)?.[0] ?? "" : "")).toUpperCase();
}
