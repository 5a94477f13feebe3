import { describe, expect, it } from "vitest";
import { alternate } from "./rounds";
import { marksOf, perCpuSecond, type Sample } from "./sample";

const quiet: Sample = { requests: 1000, failures: 0, wallSeconds: 1, serverCpuSeconds: 0.5, generatorShare: 0.5, stolenShare: 0, waitingShare: 0, p50: 1, p99: 2 };

describe("rounds", () => {
  it("a sample is marked for stolen CPU and a full generator, and for a crowded core only where latency counts", () => {
    expect(marksOf(quiet, "latency")).toEqual([]);
    expect(marksOf({ ...quiet, stolenShare: 0.3, generatorShare: 0.9 }, "cpu")).toEqual(["stolen CPU 30 %", "generator at 90 %"]);
    expect(marksOf({ ...quiet, waitingShare: 0.5 }, "cpu")).toEqual([]);
    expect(marksOf({ ...quiet, waitingShare: 0.5 }, "latency")).toHaveLength(1);
  });

  it("both sides take turns at going first", async () => {
    const order: string[] = [];
    const side = (name: string) => async () => { order.push(name); return quiet; };
    await alternate({ ours: side("a"), other: side("b") }, { rounds: 2, kind: "cpu" });
    expect(order.join("")).toBe("abba");
  });

  it("a marked round is taken again and does not count", async () => {
    let turn = 0;
    const ours = async () => ({ ...quiet, stolenShare: turn++ === 0 ? 0.5 : 0 });
    const { kept, repeated, notes } = await alternate({ ours, other: async () => quiet }, { rounds: 2, kind: "cpu" });
    expect({ kept: kept.length, repeated, notes }).toEqual({ kept: 2, repeated: 1, notes: [] });
  });

  it("where it is never quiet all rounds count, and the notes say so", async () => {
    const { kept, notes } = await alternate({ ours: async () => ({ ...quiet, stolenShare: 0.5 }), other: async () => quiet }, { rounds: 2, kind: "cpu" });
    expect(kept).toHaveLength(4);
    expect(notes[0]).toMatch(/only 0 of 4 rounds were clean/);
  });

  it("failures of either side are counted, also those of a round that was taken again", async () => {
    let turn = 0;
    const other = async () => (turn++ === 0 ? { ...quiet, stolenShare: 0.5, failures: 3 } : quiet);
    expect((await alternate({ ours: async () => quiet, other }, { rounds: 1, kind: "cpu" })).failures).toBe(3);
  });

  it("requests per CPU second do not know how long the round was", () => {
    expect(perCpuSecond({ ...quiet, wallSeconds: 100 })).toBe(2000);
  });
});
