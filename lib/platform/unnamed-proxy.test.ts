import { beforeEach, expect, it, vi } from "vitest";
import { setEnv } from "./env";
import { logger } from "./logger";
import { forgetPeers, peopleMin, watchPeer } from "./unnamed-proxy";

const warn = vi.spyOn(logger, "warn").mockImplementation(() => undefined);
beforeEach(() => {
  warn.mockClear();
  forgetPeers();
  vi.useRealTimers();
});
const people = (count: number, peer: string, forwards: boolean) => { for (let i = 0; i < count; i++) watchPeer(peer, forwards, `user ${i}`); };

it.each([[true, peopleMin.forwarding], [false, peopleMin.silent]])("many people behind one unnamed peer (forwards: %s) are warned of once a day", (forwards, min) => {
  vi.useFakeTimers({ now: Date.now() });
  people(min - 1, "10.0.0.7", forwards);
  people(min - 1, "10.0.0.7", forwards);
  expect(warn).not.toHaveBeenCalled();
  people(min, "10.0.0.7", forwards);
  people(min + 20, "10.0.0.7", forwards);
  expect(warn.mock.calls.map(([facts]) => facts)).toEqual([{ peer: "10.0.0.7", forwards, people: min }]);
  vi.advanceTimersByTime(86_400_001);
  people(min, "10.0.0.7", forwards);
  expect(warn).toHaveBeenCalledTimes(2);
});

it("the same people one after the other, over hours or from addresses of their own, are no proxy", () => {
  vi.useFakeTimers({ now: Date.now() });
  for (let i = 0; i < 50; i++) {
    watchPeer("10.0.0.8", true, `user ${i}`);
    vi.advanceTimersByTime(600_001);
    watchPeer(`10.0.1.${i}`, true, `user ${i}`);
  }
  expect(warn).not.toHaveBeenCalled();
});

it("a proxy that is named is none to warn of", () => {
  const before = process.env.TRUSTED_PROXIES;
  process.env.TRUSTED_PROXIES = "10.0.0.0/24";
  setEnv(undefined);
  try {
    people(peopleMin.silent * 2, "10.0.0.9", true);
    people(peopleMin.silent * 2, "::ffff:10.0.0.9", true);
    expect(warn).not.toHaveBeenCalled();
  } finally {
    if (before === undefined) delete process.env.TRUSTED_PROXIES;
    else process.env.TRUSTED_PROXIES = before;
    setEnv(undefined);
  }
});

it("however many peers call, few are remembered, and the newest are", () => {
  for (let i = 0; i < 5000; i++) watchPeer(`2001:db8::${i.toString(16)}`, true, "one");
  people(peopleMin.forwarding, "2001:db8::1387", true);
  expect(warn).toHaveBeenCalledTimes(1);
});
