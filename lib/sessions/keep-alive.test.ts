import { afterEach, expect, it, vi } from "vitest";
import { moveClock, now, resetClock } from "@/lib/platform/clock";
import { keepAlive } from "./keep-alive";
import type { SessionMeta } from "./record";
import * as refresh from "./refresh";

afterEach(() => {
  resetClock();
  vi.restoreAllMocks();
});

it("a user who is active every 4 s is renewed in time where the realm ends idle sessions after 60 s, and not at every look", () => {
  const renew = vi.spyOn(refresh, "refreshSession").mockRejectedValue(new Error("not of interest"));
  const start = now();
  const meta = { created: start, refreshed_at: 0, kc_exp: start + 60_000, gen: 1 } as SessionMeta;
  const renewedAt: number[] = [];
  for (let seconds = 4; seconds <= 60; seconds += 4) {
    moveClock(4000);
    renew.mockClear();
    keepAlive({ sessionId: "s", share: "k" }, meta);
    if (renew.mock.calls.length) {
      renewedAt.push(seconds);
      Object.assign(meta, { refreshed_at: now(), kc_exp: now() + 60_000 });
    }
  }
  expect(renewedAt).toEqual([16, 32, 48]);
});
