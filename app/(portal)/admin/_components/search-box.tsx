"use client";

import { Search } from "lucide-react";
import { Input } from "@/app/_components/ui/input";
import { useListFilter } from "./list-filter";

export function SearchBox({ label }: { label: string }) {
  const { wanted, isAsking, search } = useListFilter();
  return (
    <div className="relative min-w-52 flex-1" aria-busy={isAsking}>
      <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
      <Input type="search" aria-label={label} placeholder={label} className="pl-9" maxLength={100} value={wanted.q ?? ""} onChange={(event) => search(event.target.value)} />
    </div>
  );
}
