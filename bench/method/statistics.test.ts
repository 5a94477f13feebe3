import { describe, expect, it } from "vitest";
import { differenceOf, isMet, mean, percentile, ratioOf, spreadOf } from "./statistics";

describe("what rounds say", () => {
  it("a spread is the mean with the two rounds that lie furthest apart", () => {
    expect(spreadOf([3, 1, 2])).toEqual({ mean: 2, min: 1, max: 3 });
  });

  it("nothing measured is no zero", () => {
    expect(() => mean([])).toThrow("nothing was measured");
    expect(() => percentile([], 0.5)).toThrow("nothing was measured");
  });

  it("a percentile is an answer that came, whatever the order", () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2);
    expect(percentile([4, 1, 3, 2], 0.99)).toBe(4);
    expect(percentile([0.25], 0.01)).toBe(0.25);
  });

  it("a ratio is taken within each round, so a slow minute for both changes nothing", () => {
    expect(ratioOf([80, 8], [100, 10])).toEqual({ mean: 0.8, min: 0.8, max: 0.8 });
    expect(differenceOf([3, 5], [1, 2])).toEqual({ mean: 2.5, min: 2, max: 3 });
    expect(() => ratioOf([1], [])).toThrow("both sides");
  });

  it("a goal includes its own border", () => {
    expect([isMet({ atLeast: 0.85 }, 0.85), isMet({ atLeast: 0.85 }, 0.84), isMet({ atMost: 1.2 }, 1.2), isMet({ atMost: 1.2 }, 1.21)]).toEqual([true, false, true, false]);
  });
});
