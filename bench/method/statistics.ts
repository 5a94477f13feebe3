/** Of several rounds: what they say together, and how far they lie apart. */
export type Spread = { mean: number; min: number; max: number };

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new Error("nothing was measured");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function spreadOf(values: readonly number[]): Spread {
  return { mean: mean(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Nearest rank: an answer that really came, never one in between. @param share 0.5 for the median, 0.99 for p99. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (found === undefined) throw new Error("nothing was measured");
  return found;
}

/** Round by round, so that what was slow for both sides in one round cancels out. */
export function ratioOf(ours: readonly number[], other: readonly number[]): Spread {
  if (ours.length !== other.length) throw new Error("each round needs both sides");
  return spreadOf(ours.map((value, i) => value / (other[i] ?? Number.NaN)));
}

export function differenceOf(ours: readonly number[], other: readonly number[]): Spread {
  if (ours.length !== other.length) throw new Error("each round needs both sides");
  return spreadOf(ours.map((value, i) => value - (other[i] ?? Number.NaN)));
}

/** What is wanted of a row's mean. */
export type Goal = { atLeast: number } | { atMost: number };

export function isMet(goal: Goal, value: number): boolean {
  return "atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost;
}
