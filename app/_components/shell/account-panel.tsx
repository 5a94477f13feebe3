"use client";

import { Activity, LogOut, MonitorSmartphone } from "lucide-react";
import Link from "next/link";
import { type ReactElement, useTransition } from "react";
import { Badge } from "../ui/badge";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuLabel, DropdownMenuSeparator, DropdownMenuTrigger } from "../ui/dropdown-menu";
import { ThemeChoices } from "../ui/theme-choices";
import { Truncate } from "../ui/truncate";
import type { Account } from "./account-menu";

/** The account's menu, open from the start: it is fetched when somebody asks for it. */
export function AccountPanel({ trigger, account, signOut }: { trigger: ReactElement; account: Account; signOut: () => Promise<void> }) {
  const [isLeaving, startLeaving] = useTransition();
  return (
    <DropdownMenu defaultOpen>
      <DropdownMenuTrigger asChild>{trigger}</DropdownMenuTrigger>
      <DropdownMenuContent side="top" align="start" className="w-60">
        <div className="px-2.5 py-2 text-sm">
          <Truncate className="font-medium">{account.name}</Truncate>
          {account.email && <Truncate className="text-muted">{account.email}</Truncate>}
          <p className="mt-2 flex gap-1.5"><Badge tone="water">{account.role}</Badge><Badge tone="outline" className="min-w-0 shrink"><Truncate>{account.tenant}</Truncate></Badge></p>
        </div>
        <DropdownMenuSeparator />
        <DropdownMenuItem asChild><Link href="/sessions"><MonitorSmartphone aria-hidden />Sessions and account</Link></DropdownMenuItem>
        <DropdownMenuSeparator />
        <DropdownMenuLabel>Appearance</DropdownMenuLabel>
        <ThemeChoices />
        <DropdownMenuSeparator />
        <DropdownMenuItem asChild><Link href="/status"><Activity aria-hidden />What works right now</Link></DropdownMenuItem>
        <DropdownMenuItem disabled={isLeaving} onSelect={(event) => { event.preventDefault(); startLeaving(signOut); }}>
          <LogOut aria-hidden />{isLeaving ? "Signing out…" : "Sign out"}
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
