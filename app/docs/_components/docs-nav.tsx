"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { cn } from "@/app/_components/ui/cn";

const pages = [{ href: "/docs", label: "Quick start" }, { href: "/docs/keys", label: "API keys" }, { href: "/docs/tokens", label: "Tokens" }, { href: "/docs/reference", label: "Reference" }, { href: "/docs/errors", label: "Errors" }];

export function DocsNav() {
  const path = usePathname();
  return (
    <nav aria-label="Documentation" className="border-b pt-4 lg:sticky lg:top-0 lg:h-fit lg:border-0 lg:pt-10">
      <ul className="flex flex-wrap gap-x-1 lg:flex-col lg:flex-nowrap lg:gap-1">
        {pages.map(({ href, label }) => {
          const isHere = href === "/docs" ? path === href : path.startsWith(href);
          return (
            <li key={href}>
              <Link href={href} aria-current={isHere ? "page" : undefined} className={cn("block border-b-2 px-3 py-2 text-sm transition-colors hover:text-foreground lg:border-b-0 lg:border-l-2", isHere ? "border-primary font-medium text-foreground" : "border-transparent text-muted")}>{label}</Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
