/**
 * Upper bounds of the latency buckets in ms, each a quarter above the one before: a percentile read from them is at most
 * that far off. Rollups keep counts by position, so bounds may be added at the end and never changed.
 */
export const latencyBounds: readonly number[] = [...new Set(Array.from({ length: 68 }, (_, i) => Math.round(1.25 ** (i + 1))))];

/** The first bucket whose bound is not exceeded; the last has everything above. */
export function bucketOf(ms: number): number {
  let low = 0;
  let high = latencyBounds.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ms <= (latencyBounds[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * @param counts by bucket.
 * @param share 0.5 for the median.
 * @returns ms, interpolated within the bucket; null when nothing was counted.
 */
export function percentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (total === 0) return null;
  let left = share * total;
  for (const [i, n] of counts.entries()) {
    if (n > 0 && left <= n) {
      const from = latencyBounds[i - 1] ?? 0;
      return Math.round(from + ((latencyBounds[i] ?? from) - from) * (left / n));
    }
    left -= n;
  }
  return latencyBounds.at(-1) ?? null;
}
