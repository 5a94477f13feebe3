import { describe, expect, it } from "vitest";
import { bucketOf, latencyBounds, percentile } from "./histogram";

describe("the latency histogram", () => {
  it("its bounds only grow, and reach over an hour", () => {
    expect([...latencyBounds].sort((a, b) => a - b)).toEqual(latencyBounds);
    expect(latencyBounds.at(-1)).toBeGreaterThan(3_600_000);
  });

  it("everything has its bucket: the first bound that is not exceeded", () => {
    expect(bucketOf(0)).toBe(0);
    for (const [i, bound] of latencyBounds.entries()) expect(bucketOf(bound)).toBe(i);
    expect(bucketOf(1e12)).toBe(latencyBounds.length - 1);
  });

  it("percentiles read from it are within a bucket of the true ones", () => {
    const times = Array.from({ length: 5000 }, (_, i) => Math.round(Math.exp((i / 5000) * 11)));
    const counts = latencyBounds.map(() => 0);
    for (const ms of times) counts[bucketOf(ms)]! += 1;
    for (const share of [0.5, 0.95, 0.99]) {
      const exact = times[Math.ceil(share * times.length) - 1] ?? 0;
      const read = percentile(counts, share) ?? 0;
      expect(Math.abs(read - exact) / exact, String(share)).toBeLessThan(0.26);
    }
    expect(percentile([], 0.5)).toBeNull();
    expect(percentile([0, 0], 0.5)).toBeNull();
  });
});
