"use client";

import { createContext, useContext } from "react";
import type { ApiKeyView, KeyReminder } from "@/lib/keys/schemas";
import { Checkbox } from "@/app/_components/ui/checkbox";

type TableContext = {
  reminders: ReadonlyMap<string, KeyReminder["kind"][]>;
  /** Ids of the ticked keys, and of all shown that can be ticked. */
  selected: ReadonlySet<string>;
  selectable: readonly string[];
  select: (ids: readonly string[], isOn: boolean) => void;
};

const Table = createContext<TableContext | null>(null);

export const TableContextProvider = Table.Provider;

/** What the cells know besides their row; the columns themselves stand outside of render. */
export function useTableContext(): TableContext {
  const value = useContext(Table);
  if (!value) throw new Error("a cell of the keys outside of their table");
  return value;
}

export function SelectAll() {
  const { selected, selectable, select } = useTableContext();
  const count = selectable.filter((id) => selected.has(id)).length;
  if (selectable.length === 0) return <span className="sr-only">Select</span>;
  return <Checkbox aria-label="Select all shown keys" className="block" checked={count === 0 ? false : count === selectable.length ? true : "indeterminate"} onCheckedChange={() => select(selectable, count < selectable.length)} />;
}

/** A revoked key has nothing left to be done to it. */
export function SelectKey({ apiKey }: { apiKey: ApiKeyView }) {
  const { selected, select } = useTableContext();
  if (apiKey.status === "revoked") return null;
  return <Checkbox aria-label={`Select ${apiKey.name}`} className="block" checked={selected.has(apiKey.id)} onCheckedChange={(checked) => select([apiKey.id], checked === true)} />;
}
