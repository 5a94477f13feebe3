import { afterAll, inject } from "vitest";

// Before any module of the product reads it.
Object.assign(process.env, inject("env"));

afterAll(async () => {
  const [{ closeDb }, { closeRedis }, { closeQueue }] = await Promise.all([import("../../lib/platform/db"), import("../../lib/platform/redis"), import("../../lib/platform/queue")]);
  await Promise.all([closeQueue(), closeRedis()]);
  await closeDb();
});
