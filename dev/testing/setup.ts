import { afterAll, inject, vi } from "vitest";

// Before any module of the product reads it.
Object.assign(process.env, inject("env"));

// The next file runs in the same process, and finds nothing of this one.
afterAll(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  const [{ closeDb }, { closeRedis }, { closeQueue }, { setEnv }] = await Promise.all([import("../../lib/platform/db"), import("../../lib/platform/redis"), import("../../lib/platform/queue"), import("../../lib/platform/env")]);
  setEnv(undefined);
  await Promise.all([closeQueue(), closeRedis()]);
  await closeDb();
});
