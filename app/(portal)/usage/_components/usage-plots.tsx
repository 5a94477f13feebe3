"use client";

import dynamic from "next/dynamic";
import type { Granularity, UsagePoint } from "@/lib/usage/schemas";
import { Skeleton } from "@/app/_components/ui/skeleton";
import { rowLabel, zoneName } from "./time-label";

// The plots are the heaviest script of the portal, so they come after everything else.
const UsageCharts = dynamic(() => import("./usage-charts").then((module) => module.UsageCharts), { ssr: false, loading: () => <Skeleton className="h-[246px] w-full" /> });

const number = (value: number) => value.toLocaleString("en");

/** The series as plots, and the same numbers as a table for those who listen or look closely. Times are ISO 8601. */
export function UsagePlots({ series, granularity }: { series: UsagePoint[]; granularity: Granularity }) {
  const used = series.filter((point) => point.requests > 0 || point.rateLimited > 0);
  if (used.length === 0) return <p className="rounded-md bg-sunken px-4 py-10 text-center text-sm text-muted">No calls in this time.</p>;
  return (
    <>
      <UsageCharts series={series} granularity={granularity} />
      <details className="mt-4 text-sm">
        <summary className="w-fit cursor-pointer rounded-sm text-muted hover:text-foreground">The numbers</summary>
        <div className="mt-2 overflow-x-auto" tabIndex={0} role="region" aria-label="The numbers of the plots">
          <table className="w-full min-w-120 text-left tabular-nums">
            <thead className="border-b text-xs text-muted"><tr>{[`Time (${zoneName})`, "Requests", "Errors", "Refused", "Median", "95 of 100"].map((title) => <th key={title} scope="col" className="py-1.5 pr-4 font-medium">{title}</th>)}</tr></thead>
            <tbody className="divide-y">
              {used.map((point) => (
                <tr key={point.at}>
                  <th scope="row" className="py-1.5 pr-4 font-normal">{rowLabel(point.at, granularity)}</th>
                  <td className="pr-4">{number(point.requests)}</td><td className="pr-4">{number(point.errors)}</td><td className="pr-4">{number(point.rateLimited)}</td>
                  <td className="pr-4">{point.p50Ms === null ? "–" : `${number(point.p50Ms)} ms`}</td><td>{point.p95Ms === null ? "–" : `${number(point.p95Ms)} ms`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
