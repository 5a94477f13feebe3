import { now } from "@/lib/platform/clock";
import { pool } from "@/lib/platform/db";
import { invalid } from "@/lib/platform/errors";
import { percentile } from "./histogram";
import { portalKey } from "./roll-up";
import type { Granularity, UsageInput, UsagePoint } from "./schemas";

const stepMs: Record<Granularity, number> = { hour: 3_600_000, day: 86_400_000 };
const usualSteps: Record<Granularity, number> = { hour: 24, day: 30 };
/** Six weeks of hours; enough for a plot, and bounded for the database. */
const pointsMax = 1000;

/** Whole steps: `fromMs` starts one and `toMs` ends one, in UTC. */
export type Range = { fromMs: number; toMs: number; granularity: Granularity };

/** @throws SluiceError `validation_failed` for a range that is empty or has too many points */
export function rangeOf({ from, to, granularity }: UsageInput): Range {
  const step = stepMs[granularity];
  const end = to?.getTime() ?? now();
  const start = from?.getTime() ?? end - usualSteps[granularity] * step;
  if (start >= end) throw invalid([{ pointer: "/query/from", detail: "must be before to" }]);
  const range = { fromMs: Math.floor(start / step) * step, toMs: Math.ceil(end / step) * step, granularity };
  if ((range.toMs - range.fromMs) / step > pointsMax) throw invalid([{ pointer: "/query/from", detail: `must leave at most ${pointsMax} points` }]);
  return range;
}

/** Whose calls: all of a person's, with or without those of the portal's own pages, or those with one key. */
export type Whose = { tenantId: string; userId: string; apiKeyId?: string; includePortal?: boolean };

export type Sums = { requests: number; refused: number; errors: number; credits: number };
export type Series = { sums: Sums; points: UsagePoint[]; p50Ms: number | null; p95Ms: number | null };

const where = `"tenantId" = $1 AND "userId" = $2 AND ($3::uuid IS NULL OR "apiKeyId" = $3) AND ($7 OR "apiKeyId" <> '${portalKey}') AND hour >= to_timestamp($4::float8) AND hour < to_timestamp($5::float8)`;

/** Every step of the range has its point; steps without calls are zeros. */
export async function readSeries(whose: Whose, range: Range): Promise<Series> {
  const values = [whose.tenantId, whose.userId, whose.apiKeyId ?? null, range.fromMs / 1000, range.toMs / 1000, range.granularity, whose.includePortal ?? false];
  const [sums, buckets] = await Promise.all([
    pool().query<{ at: Date } & Record<keyof Sums, string>>(
      `SELECT date_trunc($6, hour, 'UTC') AS at, sum(requests) AS requests, sum(refused) AS refused, sum(errors) AS errors, sum(credits) AS credits FROM "UsageRollup" WHERE ${where} GROUP BY 1`, values),
    pool().query<{ at: Date; bucket: number; n: string }>(
      `SELECT date_trunc($6, hour, 'UTC') AS at, b.i::int - 1 AS bucket, sum(b.n) AS n FROM "UsageRollup", unnest(latency) WITH ORDINALITY AS b(n, i) WHERE ${where} AND b.n > 0 GROUP BY 1, 2`, values),
  ]);
  const histograms = new Map<number, number[]>();
  const whole: number[] = [];
  for (const { at, bucket, n } of buckets.rows) {
    const counts = histograms.get(at.getTime()) ?? [];
    histograms.set(at.getTime(), counts);
    for (const into of [counts, whole]) {
      while (into.length <= bucket) into.push(0);
      into[bucket] = (into[bucket] ?? 0) + Number(n);
    }
  }
  const counted = new Map(sums.rows.map((row) => [row.at.getTime(), row]));
  const points: UsagePoint[] = [];
  const total: Sums = { requests: 0, refused: 0, errors: 0, credits: 0 };
  for (let at = range.fromMs; at < range.toMs; at += stepMs[range.granularity]) {
    const row = counted.get(at);
    const histogram = histograms.get(at) ?? [];
    // A call that came in one hour and was checked in the next is taken back from the first.
    const sum = (name: keyof Sums) => Math.max(0, Number(row?.[name] ?? 0));
    for (const name of ["requests", "refused", "errors", "credits"] as const) total[name] += sum(name);
    points.push({ at: new Date(at).toISOString(), requests: sum("requests"), errors: sum("errors"), rateLimited: sum("refused"), p50Ms: percentile(histogram, 0.5), p95Ms: percentile(histogram, 0.95) });
  }
  return { sums: total, points, p50Ms: percentile(whole, 0.5), p95Ms: percentile(whole, 0.95) };
}
