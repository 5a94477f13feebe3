import { expect, it } from "vitest";
import { cpuSecondsOf, parseCoreTimes, seconds, stolenShare } from "./process-times";

it("reads the clock of ps, with and without days", () => {
  expect([seconds("0:01.50\n"), seconds("01:02:03"), seconds("2-00:00:01")]).toEqual([1.5, 3723, 172_801]);
});

it("stolen time is a share of all time, guests not counted twice", () => {
  const from = parseCoreTimes("cpu  10 0 10 70 0 0 0 10 5 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
  expect(from).toEqual({ stolen: 10, all: 100 });
  expect(stolenShare(from, { stolen: 40, all: 200 })).toBe(0.3);
  expect(stolenShare(from, from)).toBe(0);
});

it("this process has used some CPU", () => {
  expect(cpuSecondsOf(process.pid)).toBeGreaterThan(0);
});
