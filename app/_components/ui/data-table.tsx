"use client";

import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";
import { type ReactNode, useState } from "react";
import { cn } from "./cn";

type CellInfo<T, V> = { row: { original: T }; getValue: () => V };
type Shared = { id?: string; header: string | (() => ReactNode); /** Percent of the table that it takes, for text as long as people like (`Truncate`); other columns take what they need. */ share?: number; enableSorting?: boolean; /** Which way the first press sorts; texts rise and all else falls unless this says otherwise. */ sortDescFirst?: boolean; sortFn?: "text" };

export type Column<T> = { id: string; header: string | (() => ReactNode); share: number | undefined; canSort: boolean; sortDescFirst: boolean | undefined; value: (row: T) => unknown; render: (row: T) => ReactNode };
/** By one column at most. */
export type SortingState = { id: string; desc: boolean }[];

/** Makes columns; keep the result outside of render. A column with an empty header has no label on phones either; one with the id "select" holds the boxes to tick. */
export function columnsOf<T>() {
  function accessor<K extends keyof T & string>(key: K, column: Shared & { cell: (info: CellInfo<T, T[K]>) => ReactNode }): Column<T>;
  function accessor<V>(value: (row: T) => V, column: Shared & { id: string; cell: (info: CellInfo<T, V>) => ReactNode }): Column<T>;
  function accessor(of: (keyof T & string) | ((row: T) => unknown), { id, header, share, enableSorting = true, sortDescFirst, cell }: Shared & { cell: (info: CellInfo<T, never>) => ReactNode }): Column<T> {
    const value = typeof of === "string" ? (row: T) => row[of] : of;
    return { id: id ?? String(of), header, share, canSort: enableSorting, sortDescFirst, value, render: (row) => cell({ row: { original: row }, getValue: () => value(row) as never }) };
  }
  return {
    columns: (list: Column<T>[]) => list,
    accessor,
    display: ({ id, header, cell }: { id: string; header: string | (() => ReactNode); cell: (info: { row: { original: T } }) => ReactNode }): Column<T> =>
      ({ id, header, share: undefined, canSort: false, sortDescFirst: undefined, value: () => undefined, render: (row) => cell({ row: { original: row } }) }),
  };
}

type DataTableProps<T> = {
  columns: Column<T>[];
  rows: T[];
  rowId: (row: T) => string;
  /** Read out before the table: what it lists. */
  caption: string;
  sorting?: SortingState;
  /** The rows come sorted, so by `sorting`; who asks for another order is told here. */
  onSort?: (sorting: SortingState) => void;
  /** A page of a longer list, which keeps its order: sorted by itself it would say something untrue. */
  isPart?: boolean;
  /** Shown instead of rows when there are none. */
  empty: ReactNode;
  /** Rows that are there but no longer count, such as revoked ones. */
  isFaded?: (row: T) => boolean;
};

/** The one table. Sorts what it was given, or asks for it by `onSort`; where there is no room each row becomes a small sheet (see globals.css). */
export function DataTable<T>({ columns, rows, rowId, caption, sorting = [], onSort, isPart = false, empty, isFaded }: DataTableProps<T>) {
  const [own, setOwn] = useState(sorting);
  const [by] = onSort ? sorting : isPart ? [] : own;
  if (rows.length === 0) return empty;
  const sorted = onSort ? rows : sortedRows(rows, columns.find((column) => column.id === by?.id), by?.desc ?? false);

  function press(column: Column<T>) {
    const descFirst = column.sortDescFirst ?? typeof (rows[0] && column.value(rows[0])) !== "string";
    (onSort ?? setOwn)([{ id: column.id, desc: by?.id === column.id ? !by.desc : descFirst }]);
  }

  // The roles say again what the elements say: `display: block` on phones would otherwise take the table away from screen readers.
  return (
    <table role="table" className="stacking-table w-full text-sm">
      <caption className="sr-only">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row" className="border-b">
          {columns.map((column) => {
            const direction = by?.id === column.id ? (by.desc ? "descending" : "ascending") : undefined;
            const Arrow = direction ? (direction === "ascending" ? ArrowUp : ArrowDown) : ChevronsUpDown;
            const header = typeof column.header === "string" ? column.header : column.header();
            return (
              <th key={column.id} role="columnheader" scope="col" aria-sort={direction} data-select={column.id === "select" || undefined} style={column.share ? { width: `${column.share}%` } : undefined} className="h-10 px-4 text-left text-xs font-medium whitespace-nowrap text-muted data-select:pr-0">
                {column.canSort && !isPart ? (
                  <button type="button" onClick={() => press(column)} className="-mx-1 inline-flex items-center gap-1 rounded-sm px-1 py-1 hover:text-foreground">
                    {header}
                    <Arrow aria-hidden className={cn("size-3.5", !direction && "opacity-50")} />
                  </button>
                ) : header}
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody role="rowgroup" className="divide-y">
        {sorted.map((row) => (
          <tr key={rowId(row)} role="row" className={cn("transition-colors hover:bg-sunken/60", isFaded?.(row) && "text-muted")}>
            {columns.map((column) => (
              <td key={column.id} role="cell" data-label={typeof column.header === "string" && column.header ? column.header : undefined} data-select={column.id === "select" || undefined} className={cn("align-middle md:px-4 md:py-3 md:data-select:w-8 md:data-select:pr-0", column.share && "md:max-w-0")}>
                {column.render(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Equal rows keep the order in which they came, either way. */
function sortedRows<T>(rows: T[], column: Column<T> | undefined, desc: boolean): T[] {
  if (!column) return rows;
  const compare = (a: unknown, b: unknown) => (typeof a === "string" && typeof b === "string" ? a.localeCompare(b, "en", { sensitivity: "base", numeric: true }) : Number(a) - Number(b) || 0);
  return [...rows].sort((a, b) => (desc ? -1 : 1) * compare(column.value(a), column.value(b)));
}
