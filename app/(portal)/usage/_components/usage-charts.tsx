"use client";

import { Bar, BarChart, CartesianGrid, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import type { Granularity, UsagePoint } from "@/lib/usage/schemas";
import { axisLabel, exactLabel, zoneName } from "./time-label";

type Props = { series: UsagePoint[]; granularity: Granularity };

const axis = { stroke: "var(--line-strong)", tick: { fill: "var(--muted)", fontSize: 12 }, tickLine: false } as const;
const tooltip = { contentStyle: { background: "var(--surface)", border: "1px solid var(--line)", borderRadius: 6, fontSize: 13 }, labelStyle: { color: "var(--foreground)", fontWeight: 600 }, cursor: { fill: "var(--sunken)" }, isAnimationActive: false } as const;

/** How many calls went well, were errors and were refused, and how long they took. Read out as the table that stands below each page's plots. */
export function UsageCharts({ series, granularity }: Props) {
  const rows = series.map((point) => ({ ...point, well: Math.max(0, point.requests - point.errors), label: axisLabel(point.at, granularity), exact: exactLabel(point.at, granularity) }));
  const exact = (_label: unknown, payload: readonly { payload?: { exact?: string } }[]) => payload[0]?.payload?.exact ?? "";
  return (
    <div className="grid gap-6 xl:grid-cols-2" aria-hidden>
      <figure className="min-w-0">
        <figcaption className="mb-2 text-xs font-medium text-muted">Calls, times in {zoneName}</figcaption>
        <ResponsiveContainer width="100%" height={220}>
          <BarChart data={rows} margin={{ top: 4, right: 4, bottom: 0, left: -16 }} accessibilityLayer={false}>
            <CartesianGrid stroke="var(--line)" vertical={false} />
            <XAxis dataKey="label" minTickGap={28} {...axis} />
            <YAxis allowDecimals={false} {...axis} axisLine={false} />
            <Tooltip {...tooltip} labelFormatter={exact} />
            <Legend wrapperStyle={{ fontSize: 12 }} formatter={(name: string) => <span style={{ color: "var(--foreground)" }}>{name}</span>} />
            <Bar dataKey="well" name="answered well" stackId="calls" fill="var(--primary)" isAnimationActive={false} />
            <Bar dataKey="errors" name="errors" stackId="calls" fill="var(--danger)" isAnimationActive={false} />
            <Bar dataKey="rateLimited" name="refused" stackId="calls" fill="var(--brass)" isAnimationActive={false} />
          </BarChart>
        </ResponsiveContainer>
      </figure>
      <figure className="min-w-0">
        <figcaption className="mb-2 text-xs font-medium text-muted">Milliseconds to answer, times in {zoneName}</figcaption>
        <ResponsiveContainer width="100%" height={220}>
          <LineChart data={rows} margin={{ top: 4, right: 4, bottom: 0, left: -8 }} accessibilityLayer={false}>
            <CartesianGrid stroke="var(--line)" vertical={false} />
            <XAxis dataKey="label" minTickGap={28} padding={{ left: 8, right: 8 }} {...axis} />
            <YAxis {...axis} axisLine={false} />
            <Tooltip {...tooltip} labelFormatter={exact} formatter={(value) => `${String(value)} ms`} />
            <Legend wrapperStyle={{ fontSize: 12 }} formatter={(name: string) => <span style={{ color: "var(--foreground)" }}>{name}</span>} />
            <Line dataKey="p50Ms" name="median" stroke="var(--primary)" strokeWidth={2} dot={{ r: 2 }} isAnimationActive={false} />
            <Line dataKey="p95Ms" name="95 of 100 are faster" stroke="var(--brass)" strokeWidth={2} strokeDasharray="5 3" dot={{ r: 2 }} isAnimationActive={false} />
          </LineChart>
        </ResponsiveContainer>
      </figure>
    </div>
  );
}
