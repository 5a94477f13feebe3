import { expect, it } from "vitest";
import { reportOf, type Result, verdictOf } from "./report";

const row: Result = { what: "a call", ours: "8 per CPU s", denominator: "bare: 10 per CPU s", ratio: { mean: 0.8, min: 0.75, max: 0.85 }, goal: { atLeast: 0.85 }, notes: [] };

it("a verdict is about the mean; failures make it worthless whatever it is", () => {
  expect(verdictOf(row)).toBe("not met");
  expect(verdictOf({ ...row, goal: { atLeast: 0.8 } })).toBe("met");
  expect(verdictOf({ ...row, goal: null })).toBe("reported");
  expect(verdictOf({ ...row, ratio: undefined })).toBe("not run");
  expect(verdictOf({ ...row, goal: { atLeast: 0.8 }, invalid: true })).toBe("invalid");
});

it("a missed goal comes with what the time went into", () => {
  const page = reportOf(["2 cores"], [{ title: "Keys", results: [{ ...row, notes: ["because of logging"], summary: { packages: [{ name: "pino", share: 0.5 }], functions: [{ name: "write x.js:1", share: 0.25 }], behalf: [] } }] }]);
  expect(page).toContain("| a call | 8 per CPU s | bare: 10 per CPU s | 0.80 (0.75 – 0.85) | ≥ 0.85 | not met |");
  expect(page).toContain("**a call**: not met. Because of logging.");
  expect(page).toContain("| 25.0 % | `write x.js:1` |");
});
