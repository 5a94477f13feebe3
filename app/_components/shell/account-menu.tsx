"use client";

import { ChevronsUpDown } from "lucide-react";
import { lazy } from "react";
import { LazyMenu } from "../ui/lazy-menu";
import { Truncate } from "../ui/truncate";

export type Account = { name: string; email: string | null; role: string; tenant: string };

const load = () => import("./account-panel").then((file) => ({ default: file.AccountPanel }));
const AccountPanel = lazy(load);

export function AccountMenu({ account, signOut }: { account: Account; signOut: () => Promise<void> }) {
  const trigger = (
    <button type="button" className="group/whole flex w-full items-center gap-3 rounded-md px-3 py-2 text-left transition-colors hover:bg-rail-active/60 data-[state=open]:bg-rail-active">
      <span aria-hidden className="grid size-8 shrink-0 place-content-center rounded-full bg-rail-active text-xs font-semibold text-rail-text ring-1 ring-rail-line">{initials(account.name)}</span>
      <span className="min-w-0 flex-1">
        <span className="sr-only">Account of </span><Truncate className="text-sm font-medium text-rail-text">{account.name}</Truncate>
        <Truncate className="text-xs text-rail-muted">{`${account.role} in ${account.tenant}`}</Truncate>
      </span>
      <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-rail-muted" />
    </button>
  );
  return <LazyMenu trigger={trigger} preload={() => void load()}><AccountPanel trigger={trigger} account={account} signOut={signOut} /></LazyMenu>;
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)?.[0] ?? "" : "")).toUpperCase();
}
