"use client";

import { createColumnHelper, createSortedRowModel, type RowData, rowSortingFeature, sortFn_datetime, sortFn_text, type SortingState, tableFeatures, type TableOptions, useTable } from "@tanstack/react-table";
import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "./cn";

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel(), sortFns: { text: sortFn_text, datetime: sortFn_datetime } });
type Features = typeof features;

/** Makes columns; keep the result outside of render. A column with an empty header has no label on phones either. */
export function columnsOf<T extends RowData>() {
  return createColumnHelper<Features, T>();
}

type DataTableProps<T extends RowData> = {
  columns: TableOptions<Features, T>["columns"];
  rows: T[];
  rowId: (row: T) => string;
  /** Read out before the table: what it lists. */
  caption: string;
  sorting?: SortingState;
  /** The rows come sorted, so by `sorting`; who asks for another order is told here. */
  onSort?: (sorting: SortingState) => void;
  /** Shown instead of rows when there are none. */
  empty: ReactNode;
  /** Rows that are there but no longer count, such as revoked ones. */
  isFaded?: (row: T) => boolean;
};

const arrows = { asc: ArrowUp, desc: ArrowDown } as const;

/** The one table. Sorts what it was given, or asks for it by `onSort`; where there is no room each row becomes a small sheet (see globals.css). */
export function DataTable<T extends RowData>({ columns, rows, rowId, caption, sorting = [], onSort, empty, isFaded }: DataTableProps<T>) {
  const table = useTable({
    features, columns, data: rows, getRowId: rowId, enableSortingRemoval: false,
    ...(onSort
      ? { manualSorting: true, state: { sorting }, onSortingChange: (next) => onSort(typeof next === "function" ? next(sorting) : next) }
      : { initialState: { sorting } }),
  });
  if (rows.length === 0) return empty;
  // The roles say again what the elements say: `display: block` on phones would otherwise take the table away from screen readers.
  return (
    <table role="table" className="stacking-table w-full text-sm">
      <caption className="sr-only">{caption}</caption>
      <thead role="rowgroup">
        {table.getHeaderGroups().map((group) => (
          <tr key={group.id} role="row" className="border-b">
            {group.headers.map((header) => {
              const sorted = header.column.getIsSorted();
              const Arrow = sorted ? arrows[sorted] : ChevronsUpDown;
              return (
                <th key={header.id} role="columnheader" scope="col" aria-sort={sorted ? (sorted === "asc" ? "ascending" : "descending") : undefined} className="h-10 px-4 text-left text-xs font-medium whitespace-nowrap text-muted">
                  {header.column.getCanSort() ? (
                    <button type="button" onClick={header.column.getToggleSortingHandler()} className="-mx-1 inline-flex items-center gap-1 rounded-sm px-1 py-1 hover:text-foreground">
                      <table.FlexRender header={header} />
                      <Arrow aria-hidden className={cn("size-3.5", !sorted && "opacity-50")} />
                    </button>
                  ) : <table.FlexRender header={header} />}
                </th>
              );
            })}
          </tr>
        ))}
      </thead>
      <tbody role="rowgroup" className="divide-y">
        {table.getRowModel().rows.map((row) => (
          <tr key={row.id} role="row" className={cn("transition-colors hover:bg-sunken/60", isFaded?.(row.original) && "text-muted")}>
            {row.getAllCells().map((cell) => {
              const { header } = cell.column.columnDef;
              return (
                <td key={cell.id} role="cell" data-label={typeof header === "string" && header ? header : undefined} className="align-middle md:px-4 md:py-3">
                  <table.FlexRender cell={cell} />
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
