"use client";

import { Search } from "lucide-react";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState, useTransition } from "react";
import { Input } from "@/app/_components/ui/input";
import { pathOf } from "./search-query";

/** Asks once typing pauses, not at every letter. `keep` are the other parameters of the address. */
export function SearchBox({ path, q, label, keep = {} }: { path: string; q: string; label: string; keep?: Record<string, string> }) {
  const router = useRouter();
  const [text, setText] = useState(q);
  const [isSearching, start] = useTransition();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  function search(next: string) {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => start(() => router.replace(pathOf(path, { ...keep, q: next.trim() }), { scroll: false })), 250);
  }

  return (
    <div className="relative min-w-52 flex-1" aria-busy={isSearching}>
      <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
      <Input type="search" aria-label={label} placeholder={label} className="pl-9" maxLength={100} value={text} onChange={(event) => search(event.target.value)} />
    </div>
  );
}
