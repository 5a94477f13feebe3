import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { aPerson } from "@/dev/testing/people";
import { takeTurns } from "@/dev/testing/usage";
import { notFound, SluiceError } from "@/lib/platform/errors";
import { redis } from "@/lib/platform/redis";
import { flushCalls } from "@/lib/usage";
import { usageStream } from "@/lib/usage/stream";
import { newApi } from "./api";
import { knownFailure } from "./known-failure";
import { observed } from "./observed";

takeTurns();

describe("the error of a store that is away", () => {
  it("is store_unavailable, and every other error stays as it is", () => {
    for (const words of ["Connection terminated unexpectedly", "connect ECONNREFUSED 127.0.0.1:5432", "Command timed out"]) expect(knownFailure(new Error(words))).toMatchObject({ code: "store_unavailable" });
    for (const other of [new Error("a mistake of ours"), notFound(), new SluiceError("upstream_error", "connect ECONNREFUSED"), "text", undefined]) expect(knownFailure(other)).toBe(other);
  });

  it("has the same code in the answer and in the request log", async () => {
    const { userId, tenantId } = await aPerson();
    const requestId = randomUUID();
    const api = newApi();
    api.get("/t", observed((c) => {
      const { call } = c.get("caller");
      if (call) call.by = { userId, tenantId };
      throw new Error("Connection terminated unexpectedly");
    }, "/t"));
    const answer = await api.request("/t", { headers: { "x-request-id": requestId } });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "store_unavailable"]);
    await flushCalls();
    const entries = await redis().xrange(usageStream, "-", "+");
    const row = entries.flatMap(([, [name, json]]) => (name === "l" && json ? (JSON.parse(json) as unknown[][]) : [])).find(([id]) => id === requestId);
    expect(row?.slice(4, 6)).toEqual([503, "store_unavailable"]);
  });
});
