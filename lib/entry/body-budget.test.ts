import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { setEnv } from "@/lib/platform/env";
import { freeBytes, heldBytes, roomFor } from "./body-budget";

const mib = 1_048_576;
const before = process.env.BODY_MEMORY;
beforeAll(() => {
  process.env.BODY_MEMORY = String(10 * mib);
  setEnv(undefined);
});
afterAll(() => {
  if (before === undefined) delete process.env.BODY_MEMORY;
  else process.env.BODY_MEMORY = before;
  setEnv(undefined);
});

const settled = async (work: Promise<unknown>) => Promise.race([work.then(() => "let in", (error: { code: string }) => error.code), new Promise<string>((done) => setImmediate(() => done("waits")))]);

it("bodies above the bound wait for room, in the order in which they came", async () => {
  const first = await roomFor(6 * mib);
  const large = roomFor(6 * mib);
  const small = roomFor(2 * mib);
  expect([await settled(large), await settled(small)]).toEqual(["waits", "waits"]);
  first();
  first();
  expect([await settled(large), await settled(small), heldBytes()]).toEqual(["let in", "let in", 8 * mib]);
  (await large)();
  (await small)();
  expect(heldBytes()).toBe(0);
});

it("without room in time a body is rate_limited with Retry-After, and those behind it have their turn", async () => {
  vi.useFakeTimers();
  try {
    const first = await roomFor(9 * mib);
    const large = roomFor(6 * mib);
    large.catch(() => undefined);
    vi.advanceTimersByTime(2000);
    const small = roomFor(mib + 1);
    vi.advanceTimersByTime(8001);
    await expect(large).rejects.toMatchObject({ code: "rate_limited", options: { retryAfterSeconds: expect.any(Number) } });
    first();
    (await small)();
  } finally {
    vi.useRealTimers();
  }
  expect(heldBytes()).toBe(0);
});

it("small bodies need no room, and one larger than all of it is let in alone", async () => {
  const whole = await roomFor(50 * mib);
  await roomFor(freeBytes);
  expect(heldBytes()).toBe(50 * mib);
  whole();
  expect(heldBytes()).toBe(0);
});
