import { randomUUID } from "node:crypto";
import { expect, it, vi } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { pool } from "@/lib/platform/db";
import { newApi } from "./api";
import { onceByName } from "./idempotency";

it("a named call is answered while PostgreSQL is frozen, although its answer cannot be kept", async () => {
  const ctx = contextOf(await aPerson());
  const api = newApi();
  api.post("/t", (c) => onceByName(c, ctx, { key: randomUUID(), body: "" }, () => {
    vi.spyOn(pool(), "query").mockReturnValue(new Promise(() => undefined) as never);
    return c.json({ done: true });
  }));
  const answer = await api.request("/t", { method: "POST" });
  vi.restoreAllMocks();
  expect([answer.status, await answer.json()]).toEqual([200, { done: true }]);
}, 10_000);
