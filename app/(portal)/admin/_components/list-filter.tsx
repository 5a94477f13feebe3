"use client";

import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState, useTransition } from "react";
import { pathOf } from "./search-query";

type Params = Record<string, string>;
type Filter = {
  /** What its reader wants to see, which may be ahead of what is shown; `q` as it was typed. */
  wanted: Params;
  isAsking: boolean;
  /** Asks at once. */
  show: (some: Params) => void;
  /** Asks once typing pauses, not at every letter. */
  search: (q: string) => void;
};

const Wanted = createContext<Filter | null>(null);
const typingPauseMs = 250;

export function useListFilter(): Filter {
  const filter = useContext(Wanted);
  if (!filter) throw new Error("a filter's part outside of its list");
  return filter;
}

/**
 * Owns what a list is asked for: a part changes its own parameter, and what another asked for a moment ago is not lost while the answer takes its time.
 * Who comes to the list by another way (a link, the browser's back, an answer that took some of it for nothing) finds it said as it is shown.
 *
 * @param params of the address at `path` that is shown; those at rest are empty
 */
export function ListFilter({ path, params, children }: { path: string; params: Params; children: ReactNode }) {
  const router = useRouter();
  const [isAsking, start] = useTransition();
  const shown = addressOf(path, params);
  const [wanted, setWanted] = useState(params);
  const [asked, setAsked] = useState(shown);
  if (!isAsking && asked !== shown) {
    setWanted(params);
    setAsked(shown);
  }

  const ask = useCallback((address: string) => {
    setAsked(address);
    start(() => router.replace(address, { scroll: false }));
  }, [router]);

  const address = addressOf(path, wanted);
  useEffect(() => {
    if (address === asked) return;
    const timer = setTimeout(() => ask(address), typingPauseMs);
    return () => clearTimeout(timer);
  }, [address, asked, ask]);

  const filter: Filter = {
    wanted, isAsking,
    show(some) {
      const next = { ...wanted, ...some };
      setWanted(next);
      ask(addressOf(path, next));
    },
    search: (q) => setWanted({ ...wanted, q }),
  };
  return <Wanted value={filter}>{children}</Wanted>;
}

const addressOf = (path: string, { q = "", ...rest }: Params) => pathOf(path, { q: q.trim(), ...rest });
