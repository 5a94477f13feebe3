import { randomUUID } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { type Decision, invalid, notFound, SluiceError } from "@/lib/platform/errors";
import { redis } from "@/lib/platform/redis";
import { untilFinished } from "@/lib/platform/unfinished";
import { flushCalls, getDecision, recordCall } from ".";
import { decisionsMax } from "./decisions";
import { aCall, entriesOf, takeTurns } from "@/dev/testing/usage";

takeTurns();

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const refusedWith = (decision?: Decision) => new SluiceError("rate_limited", "Too fast.", { decision, headers: { "X-RateLimit-Limit": "7" } });

describe("calls that have ended", () => {
  it("go out together, in one entry, and a process that stops waits for that", async () => {
    const person = await aPerson();
    // What other files' calls have left behind goes first: it would share an entry.
    await flushCalls();
    for (let i = 0; i < 50; i++) recordCall(aCall(person));
    expect(await untilFinished(1000)).toBe(0);
    expect(await entriesOf(person)).toBe(1);
  });

  it("what could not be sent because Redis is away is sent when it is back", async () => {
    const person = await aPerson();
    const away = vi.spyOn(redis(), "status", "get" as never).mockReturnValue("reconnecting" as never);
    recordCall(aCall(person));
    await flushCalls();
    away.mockRestore();
    expect(await entriesOf(person)).toBe(0);
    await flushCalls();
    expect(await entriesOf(person)).toBe(1);
  });
});

describe("what a caller can make us keep", () => {
  it("is a decision of a few KiB, however large what was refused", async () => {
    const person = await aPerson();
    const large = "\u0001".repeat(1_000_000);
    const decisions: Decision[] = [{ check: "c", seen: large, limit: large }, { check: "c", seen: Array.from({ length: 10_000 }, () => large.slice(0, 1000)), limit: Array.from({ length: 10_000 }, (_, i) => `10.0.0.${i}`) }];
    const errors = [...decisions.map(refusedWith), invalid(Array.from({ length: 50 }, (_, i) => ({ pointer: `/${large}/${i}`, detail: large })))];
    for (const error of errors) {
      const call = aCall(person, { error });
      recordCall(call);
      const decision = await getDecision(contextOf(person), call.requestId);
      expect([decision.seen, decision.limit].flat().every((text) => typeof text === "string" && text.length > 0 && text.length < 300)).toBe(true);
      expect(Buffer.byteLength((await redis().hget(`sl:d:${person.userId}`, call.requestId)) ?? "")).toBeLessThan(8192);
    }
  });

  it("is not what a call failed with while Redis is away, and its refusal is told when it is back", async () => {
    const person = await aPerson();
    const away = vi.spyOn(redis(), "status", "get" as never).mockReturnValue("reconnecting" as never);
    const refused = () => {
      const error = refusedWith({ check: "c", seen: "x".repeat(1_000_000), limit: null });
      const call = aCall(person, { error });
      recordCall(call);
      return { requestId: call.requestId, error: new WeakRef(error) };
    };
    const { requestId, error } = refused();
    await flushCalls();
    await new Promise(setImmediate);
    collectGarbage();
    expect(error.deref()).toBeUndefined();
    away.mockRestore();
    expect(await getDecision(contextOf(person), requestId)).toMatchObject({ check: "c", seen: expect.stringMatching(/^x{250}…$/) });
  });
});

describe("decisions", () => {
  it("a refusal is told with the check that spoke, what it saw and the limit, at once", async () => {
    const person = await aPerson();
    const call = aCall(person, { status: 429, apiKeyId: randomUUID(), error: refusedWith({ check: "rate_limit", seen: 7, limit: 7 }) });
    recordCall(call);
    expect(await getDecision(contextOf(person), call.requestId)).toEqual({ requestId: call.requestId, at: new Date(call.atMs).toISOString(), code: "rate_limited", check: "rate_limit", seen: 7, limit: 7, apiKeyId: call.by.apiKeyId });
  });

  it("where the refusal does not say, its code does; an answer that is no refusal leaves none", async () => {
    const person = await aPerson();
    const calls = [refusedWith(), notFound(), new SluiceError("upstream_timeout", "slow"), new Error("bug")].map((error) => aCall(person, { error }));
    for (const call of calls) recordCall(call);
    const told = await Promise.all(calls.map(({ requestId }) => getDecision(contextOf(person), requestId).then(({ check, limit }) => [check, limit], (error: SluiceError) => error.code)));
    expect(told).toEqual([["rate_limit", 7], ["existence", null], "not_found", "not_found"]);
  });

  it("of two refusals with one request id the newer is told", async () => {
    const person = await aPerson();
    for (const seen of ["first", "second"]) recordCall(aCall(person, { requestId: "same", error: refusedWith({ check: "c", seen, limit: null }) }));
    expect((await getDecision(contextOf(person), "same")).seen).toBe("second");
  });

  it("somebody else's is not found, whatever they choose as request id; an auditor finds it", async () => {
    const [owner, other, admin] = [await aPerson(), await aPerson(), await aPerson({ role: "admin" })];
    const call = aCall(owner, { error: refusedWith() });
    recordCall(call);
    await expect(getDecision(contextOf(other), call.requestId)).rejects.toMatchObject({ code: "not_found" });
    expect(await getDecision(contextOf(admin), call.requestId)).toMatchObject({ requestId: call.requestId });
    await expect(getDecision(contextOf(admin, { permissions: ["admin:keys"] }), call.requestId)).rejects.toMatchObject({ code: "not_found" });
  });

  it("a flood of one kind evicts its own oldest, never another code's or another key's, and all together stay a thousand", async () => {
    const person = await aPerson();
    const [looping, other] = [randomUUID(), randomUUID()];
    const kept = [aCall(person, { error: notFound() }), aCall(person, { apiKeyId: other, error: refusedWith() }), aCall(person, { apiKeyId: looping, error: notFound() }), aCall(person, { error: refusedWith() })];
    const flood = Array.from({ length: 2 * decisionsMax }, () => aCall(person, { apiKeyId: looping, error: refusedWith() }));
    for (const call of kept) recordCall(call);
    // Some of it in one writing, as after an outage, the rest in several.
    for (const [i, call] of flood.entries()) {
      recordCall(call);
      if (i >= decisionsMax + 100 && i % 100 === 0) await flushCalls();
    }
    await flushCalls();
    for (const call of kept) expect(await getDecision(contextOf(person), call.requestId)).toMatchObject({ requestId: call.requestId });
    expect(await getDecision(contextOf(person), flood.at(-1)?.requestId ?? "")).toMatchObject({ apiKeyId: looping });
    await expect(getDecision(contextOf(person), flood[decisionsMax]?.requestId ?? "")).rejects.toMatchObject({ code: "not_found" });
    const all = `sl:d:${person.userId}`;
    expect([await redis().hlen(all), await redis().zcard(`${all}:t`)]).toEqual([decisionsMax, decisionsMax]);
    expect((await redis().zrange(`${all}:k`, "0", "-1", "WITHSCORES")).map(Number).filter((n) => !Number.isNaN(n)).sort((a, b) => a - b)).toEqual([1, 1, 1, 1, decisionsMax - 4]);
  });

  it("one whose text holds half a character is kept, and keeps nobody else's from being kept", async () => {
    const person = await aPerson();
    const calls = ["half \ud83d", "whole"].map((seen) => aCall(person, { error: refusedWith({ check: "c", seen, limit: [seen] }) }));
    for (const call of calls) recordCall(call);
    for (const call of calls) expect(await getDecision(contextOf(person), call.requestId)).toMatchObject({ check: "c" });
  });

  it("of two refusals of different kinds with one request id the newer is told, and counts once", async () => {
    const person = await aPerson();
    for (const error of [notFound(), refusedWith(), notFound()]) recordCall(aCall(person, { requestId: "same", error }));
    expect((await getDecision(contextOf(person), "same")).code).toBe("not_found");
    recordCall(aCall(person, { requestId: "same", error: refusedWith() }));
    expect((await getDecision(contextOf(person), "same")).code).toBe("rate_limited");
    expect(await redis().zrange(`sl:d:${person.userId}:k`, "0", "-1", "WITHSCORES")).toEqual(["rate_limited:", "1"]);
  });

  it("each owner keeps the newest thousand, for a day", async () => {
    const person = await aPerson();
    const calls = Array.from({ length: decisionsMax + 5 }, (_, i) => aCall(person, { requestId: `${person.userId}-${i}`, error: refusedWith() }));
    for (const call of calls) {
      recordCall(call);
      if (call.requestId.endsWith("-3")) await flushCalls();
    }
    await flushCalls();
    const find = (i: number) => getDecision(contextOf(person), `${person.userId}-${i}`).then(() => "kept", () => "gone");
    expect(await Promise.all([4, 5, decisionsMax + 4].map(find))).toEqual(["gone", "kept", "kept"]);
    expect(await redis().hlen(`sl:d:${person.userId}`)).toBe(decisionsMax);
    expect(await redis().exists(`sl:d:r:${person.userId}-4`)).toBe(0);
    expect(await redis().ttl(`sl:d:${person.userId}`)).toBeGreaterThan(86_000);
    moveClock(86_401_000);
    expect(await find(decisionsMax + 4)).toBe("gone");
    resetClock();
  });
});
