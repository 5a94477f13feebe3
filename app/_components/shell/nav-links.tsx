"use client";

import { BookOpen, Boxes, Building2, ChartColumn, KeyRound, KeySquare, Layers, ListTree, type LucideIcon, MessagesSquare, MonitorSmartphone, ScanSearch, ShieldCheck, SquareTerminal, Users, Waypoints } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { cn } from "../ui/cn";

const icons = { overview: Waypoints, keys: KeyRound, usage: ChartColumn, requests: ListTree, chatflows: MessagesSquare, nflow: Boxes, machine: ShieldCheck, docs: BookOpen, allKeys: KeySquare, allRequests: ScanSearch, people: Users, tenants: Building2, plans: Layers, sessions: MonitorSmartphone, programs: SquareTerminal } satisfies Record<string, LucideIcon>;

export type NavItem = { href: string; label: string; icon: keyof typeof icons };
export type NavGroup = { label: string | null; items: NavItem[] };

/** Where one can go. The page that is open carries a brass gauge mark at its edge. */
export function NavLinks({ groups, onNavigate }: { groups: NavGroup[]; onNavigate?: () => void }) {
  const path = usePathname();
  return (
    <nav aria-label="Main" className="min-h-0 flex-1 space-y-6 overflow-y-auto px-3 py-2 [@media(max-height:54rem)]:space-y-3">
      {groups.map((group) => (
        <div key={group.label ?? "main"}>
          {group.label && <p className="mb-1 px-3 text-xs text-rail-muted">{group.label}</p>}
          <ul className="space-y-0.5">
            {group.items.map(({ href, label, icon }) => {
              const Icon = icons[icon];
              const isHere = path === href || path.startsWith(`${href}/`);
              return (
                <li key={href}>
                  <Link
                    href={href}
                    onClick={onNavigate}
                    aria-current={isHere ? "page" : undefined}
                    className={cn(
                      "relative flex h-9 items-center [@media(max-height:54rem)]:h-8 gap-3 rounded-md px-3 text-sm transition-colors hover:bg-rail-active/60 hover:text-rail-text",
                      isHere ? "bg-rail-active font-medium text-rail-text before:absolute before:inset-y-2 before:left-0 before:w-0.75 before:rounded-full before:bg-brass" : "text-rail-muted",
                    )}
                  >
                    <Icon aria-hidden className="size-4 shrink-0" />
                    {label}
                  </Link>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </nav>
  );
}
