import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { aCall, addCalls, addChecks, aKey, takeTurns } from "@/dev/testing/usage";
import { db } from "@/lib/platform/db";
import { type ErrorCode, clientClosed, notFound, SluiceError } from "@/lib/platform/errors";
import { flushCalls, foldUsage, getAnyKeyUsage, getDecision, getKeyUsage, getMyUsage, listAllRequests, listKeyActivity, listRequests, recordCall } from ".";
import { isError, isRefusal, ListAllRequestsInput, ListRequestsInput, MyUsageInput, UsageInput } from "./schemas";

takeTurns();

const usage = (query: object = {}) => UsageInput.parse(query);
const mine = (query: object = {}) => MyUsageInput.parse(query);
const requests = (query: object = {}) => ListRequestsInput.parse(query);
const all = (query: object = {}) => ListAllRequestsInput.parse(query);

async function usedKey() {
  const key = await aKey();
  await addChecks(`${key.id}:ok`, `${key.id}:ok`, `${key.id}:ok`, `${key.id}:limit`);
  await addCalls(...[10, 20, 400].map((ms) => aCall(key.person, { apiKeyId: key.id, ms, status: ms === 400 ? 502 : 200, call: { credits: ms === 10 ? 5 : 0 } })));
  await foldUsage();
  return { ...key, ctx: contextOf(key.person) };
}

describe("a key's usage", () => {
  it("every hour of the last day has its point, empty ones as zeros, and the totals are their sums", async () => {
    const { id, ctx } = await usedKey();
    const { series, ...totals } = await getKeyUsage(ctx, id, usage());
    expect(totals).toEqual({ totalRequests: 3, errors: 1, rateLimited: 1, creditsSpent: 5, lastUsedAt: expect.any(String), lastRequestAt: expect.any(String) });
    expect(series.length).toBeGreaterThanOrEqual(24);
    series.forEach((point, i) => expect(Date.parse(point.at)).toBe(Date.parse(series[0]?.at ?? "") + i * 3_600_000));
    expect(series.reduce((sum, point) => sum + point.requests, 0)).toBe(3);
    expect(series.find((point) => point.requests > 0)).toMatchObject({ errors: 1, rateLimited: 1 });
    const { p50Ms, p95Ms } = series.find((point) => point.p50Ms !== null) ?? {};
    expect([p50Ms, p95Ms].map((ms) => ms ?? 0)).toEqual([expect.closeTo(20, -1), expect.closeTo(400, -2)]);
    expect(series[0]).toEqual({ at: series[0]?.at, requests: 0, errors: 0, rateLimited: 0, p50Ms: null, p95Ms: null });
  });

  it("by the day the same calls are counted once, in UTC's days", async () => {
    const { id, ctx } = await usedKey();
    const { series, totalRequests } = await getKeyUsage(ctx, id, usage({ granularity: "day" }));
    expect(totalRequests).toBe(3);
    expect(series.at(-1)).toMatchObject({ at: `${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`, requests: 3 });
  });

  it("a range that does not hold the calls has none of them", async () => {
    const { id, ctx } = await usedKey();
    const { series, totalRequests } = await getKeyUsage(ctx, id, usage({ from: "2020-01-01", to: "2020-01-02" }));
    expect([series.length, totalRequests]).toEqual([24, 0]);
  });

  it("an impossible range is refused, and so is one of too many points", async () => {
    const { id, ctx } = await usedKey();
    for (const bad of [{ from: "2026-01-02", to: "2026-01-01" }, { from: "2026-01-01", to: "2026-01-01" }, { from: "2020-01-01", granularity: "hour" }]) {
      await expect(getKeyUsage(ctx, id, usage(bad)), JSON.stringify(bad)).rejects.toMatchObject({ code: "validation_failed" });
    }
    for (const bad of [{ from: "yesterday" }, { from: "2026-13-01" }, { granularity: "minute" }, { extra: "1" }]) expect(UsageInput.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
  });

  it("somebody else's key is not found, and usage:read is needed", async () => {
    const { id, ctx, person } = await usedKey();
    await expect(getKeyUsage(contextOf(await aPerson({ tenant: person.tenant })), id, usage())).rejects.toMatchObject({ code: "not_found" });
    await expect(getKeyUsage(ctx, "no-id", usage())).rejects.toMatchObject({ code: "not_found" });
    await expect(getKeyUsage(contextOf(person, { permissions: ["credits:read"] }), id, usage())).rejects.toMatchObject({ code: "insufficient_permission" });
  });

  it("administrators see anybody's, and nobody else does", async () => {
    const { id, ctx, person } = await usedKey();
    const admin = contextOf(await aPerson({ role: "admin" }));
    expect(await getAnyKeyUsage(admin, id, usage())).toEqual(await getKeyUsage(ctx, id, usage()));
    await expect(getAnyKeyUsage(admin, "no-id", usage())).rejects.toMatchObject({ code: "not_found" });
    await expect(getAnyKeyUsage(contextOf(await aPerson({ tenant: person.tenant })), id, usage())).rejects.toMatchObject({ code: "insufficient_permission" });
  });

  it("a person's own usage is that of their keys and of what they do without one", async () => {
    const { id, ctx, person } = await usedKey();
    await addCalls(aCall(person, { route: "/api/v1/chatflows" }));
    await foldUsage();
    const { sums, keys, routes } = await getMyUsage(ctx, mine());
    expect(sums).toEqual({ requests: 4, refused: 1, errors: 1, credits: 5 });
    expect(keys.map(({ key, requests }) => [key?.id, requests])).toEqual([[id, 3], [undefined, 1]]);
    expect(routes).toEqual([{ route: "/api/v1/auth/me", answered: 3, errors: 1 }, { route: "/api/v1/chatflows", answered: 1, errors: 0 }]);
    const { sums: others } = await getMyUsage(contextOf(await aPerson({ tenant: person.tenant })), mine());
    expect(others.requests).toBe(0);
  });
});

describe("the portal's own calls", () => {
  it("are in nobody's usage, and beside it once they are included", async () => {
    const { id, ctx, person } = await usedKey();
    const portal = { call: { credits: 2, portal: true as const } };
    await addCalls(aCall(person, portal), aCall(person, { ...portal, status: 404 }), aCall(person, { ...portal, status: 403 }), aCall(person));
    await foldUsage();
    const { sums, points, keys, routes } = await getMyUsage(ctx, mine());
    expect(sums).toEqual({ requests: 4, refused: 1, errors: 1, credits: 5 });
    expect(points.reduce((sum, point) => sum + point.requests, 0)).toBe(4);
    expect(keys.map(({ key, portal, requests }) => [key?.id, portal, requests])).toEqual([[id, false, 3], [undefined, false, 1]]);
    expect(routes).toEqual([{ route: "/api/v1/auth/me", answered: 4, errors: 1 }]);
    const whole = await getMyUsage(ctx, mine({ includePortal: true }));
    expect(whole.sums).toEqual({ requests: 6, refused: 2, errors: 2, credits: 11 });
    expect(whole.keys.map(({ key, portal, requests, refused }) => [key?.id, portal, requests, refused])).toEqual([[id, false, 3, 1], [undefined, true, 2, 1], [undefined, false, 1, 0]]);
    expect(whole.routes).toEqual([{ route: "/api/v1/auth/me", answered: 6, errors: 2 }]);
  });
});

describe("refused and error", () => {
  // What became of a call: as the check said, or after it.
  const outcomes: [ErrorCode | null, number, "check" | "before" | null, "refused" | "error" | null][] = [
    [null, 200, null, null], ["key_revoked", 401, "check", "refused"], ["token_expired", 401, "before", "refused"], ["rate_limited", 429, "check", "refused"], ["insufficient_permission", 403, "check", "refused"],
    ["out_of_credits", 402, null, "refused"], ["owner_reauth_required", 403, null, "refused"], ["permission_escalation", 403, null, "refused"],
    ["upstream_forbidden", 403, null, "error"], ["not_found", 404, null, "error"], ["validation_failed", 422, null, "error"], ["upstream_error", 502, null, "error"], ["client_closed", 499, null, null],
  ];

  const count = (wanted: "refused" | "error") => outcomes.filter(([, , , outcome]) => outcome === wanted).length;
  const numbers = { requests: outcomes.length - count("refused"), refused: count("refused"), errors: count("error") };

  it("mean one thing in a key's usage, its hours and count, the person's usage and the log's filters", async () => {
    const { id, person } = await aKey();
    for (const [code, status, refusedBy] of outcomes) {
      if (refusedBy !== "before") await addChecks(`${id}:${refusedBy === "check" ? "no" : "ok"}`);
      const by = { userId: person.userId, tenantId: person.tenantId, apiKeyId: id, ...(refusedBy && { refused: true as const }), ...(refusedBy === "before" && { uncounted: true as const }) };
      await addCalls(aCall(person, { status, error: code ? new SluiceError(code, "x") : undefined, by }));
    }
    await foldUsage();
    const ctx = contextOf(person);
    const { totalRequests, rateLimited, errors, series } = await getKeyUsage(ctx, id, usage());
    expect({ requests: totalRequests, refused: rateLimited, errors }).toEqual(numbers);
    expect(series.reduce((sum, point) => sum + point.requests + point.rateLimited, 0)).toBe(outcomes.length);
    expect((await getMyUsage(ctx, mine())).sums).toMatchObject(numbers);
    expect(((await listKeyActivity(ctx, [id])).get(id) ?? []).reduce((sum, hour) => ({ requests: sum.requests + hour.requests, refused: sum.refused + hour.refused }), { requests: 0, refused: 0 })).toEqual({ requests: numbers.requests, refused: numbers.refused });
    expect((await db().apiKey.findUniqueOrThrow({ where: { id } })).requestCount).toBe(BigInt(numbers.requests));
    const codes = async (status: string) => (await listRequests(ctx, requests({ status }))).requests.map((call) => call.code).sort();
    for (const wanted of ["refused", "error"] as const) expect(await codes(wanted)).toEqual(outcomes.filter(([, , , outcome]) => outcome === wanted).map(([code]) => code).sort());
    for (const [code, status, , outcome] of outcomes) expect([isRefusal({ status, code }), isError({ status, code })], String(code)).toEqual([outcome === "refused", outcome === "error"]);
  });

  it("mean the same without a key", async () => {
    const { person } = await aKey();
    await addCalls(...outcomes.map(([code, status]) => aCall(person, { status, error: code ? new SluiceError(code, "x") : undefined })));
    await foldUsage();
    expect((await getMyUsage(contextOf(person), mine())).sums).toMatchObject(numbers);
  });
});

describe("the request log", () => {
  it("pages through one's calls from the newest, each once, also those of the same moment", async () => {
    const { id, person } = await aKey();
    const at = Date.now() - 1000;
    await addCalls(...Array.from({ length: 25 }, (_, i) => aCall(person, { apiKeyId: id, requestId: `r${i}`, atMs: at + Math.floor(i / 5) })));
    await foldUsage();
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < 10; pages++) {
      const page = await listRequests(contextOf(person), requests({ limit: "7", cursor }));
      seen.push(...page.requests.map(({ requestId }) => requestId));
      expect([...page.requests].sort((a, b) => b.at.localeCompare(a.at))).toEqual(page.requests);
      if (!page.nextCursor) break;
      cursor = page.nextCursor;
    }
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
    await expect(listRequests(contextOf(person), requests({ cursor: "nonsense" }))).rejects.toMatchObject({ code: "validation_failed" });
  });

  it("filters by key, status, class of status and time", async () => {
    const { id, person } = await aKey();
    const other = await aKey(person);
    const early = Date.now() - 3_600_000;
    await addCalls(aCall(person, { apiKeyId: id, status: 404, error: notFound() }), aCall(person, { apiKeyId: id, status: 429 }), aCall(person, { apiKeyId: other.id }), aCall(person, { atMs: early }));
    await foldUsage();
    const count = async (query: object) => (await listRequests(contextOf(person), requests(query))).requests.length;
    const from = new Date(early + 1000).toISOString();
    expect(await Promise.all([{}, { apiKeyId: id }, { status: "404" }, { status: "4xx" }, { status: "2xx" }, { from }, { to: from }, { apiKeyId: randomUUID() }, { withKey: "true" }, { withKey: "false" }].map(count))).toEqual([4, 2, 1, 2, 2, 3, 1, 0, 3, 1]);
    expect((await listRequests(contextOf(person), requests({ status: "404" }))).requests[0]).toMatchObject({ code: "not_found", status: 404, method: "GET", route: "/api/v1/auth/me", apiKeyId: id, ip: "127.0.0.1" });
    for (const bad of ["6xx", "4x", "99", "ok"]) expect(ListRequestsInput.safeParse({ status: bad }).success, bad).toBe(false);
  });

  it("a caller who left is no error, no refusal and has no decision, and is found by 499 alone", async () => {
    const { id, person } = await aKey();
    const left = aCall(person, { apiKeyId: id, status: 499, error: clientClosed() });
    recordCall(left);
    await flushCalls();
    await addCalls(aCall(person, { apiKeyId: id, status: 404, error: notFound() }));
    await foldUsage();
    const found = async (status: string) => (await listRequests(contextOf(person), requests({ status }))).requests.map(({ code }) => code);
    expect(await Promise.all(["4xx", "499", "5xx"].map(found))).toEqual([["not_found"], ["client_closed"], []]);
    expect((await db().usageRollup.findMany({ where: { apiKeyId: id } })).map(({ answered, errors, refused }) => [answered, errors, refused])).toEqual([[2n, 1n, 0n]]);
    await expect(getDecision(contextOf(person), left.requestId)).rejects.toMatchObject({ code: "not_found" });
  });

  it("the portal's own calls are left out until they are asked for, or looked up by their request id", async () => {
    const { person } = await aKey();
    const [form, read, token] = [aCall(person, { route: "portal/createKey", method: "POST", call: { credits: 0, portal: true } }), aCall(person, { call: { credits: 0, portal: true } }), aCall(person)];
    await addCalls(form, read, token);
    await foldUsage();
    const admin = contextOf(await aPerson({ role: "admin" }));
    const own = async (query: object) => (await listRequests(contextOf(person), requests(query))).requests.map(({ requestId }) => requestId).sort();
    const everybodys = async (query: object) => (await listAllRequests(admin, all({ userId: person.userId, ...query }))).requests.map(({ requestId }) => requestId).sort();
    const every = [form, read, token].map(({ requestId }) => requestId).sort();
    for (const list of [own, everybodys]) {
      expect(await list({})).toEqual([token.requestId]);
      expect(await list({ includePortal: "true" })).toEqual(every);
      expect(await list({ requestId: form.requestId })).toEqual([form.requestId]);
      expect(await list({ requestId: form.requestId, includePortal: "false" })).toEqual([]);
      expect(await list({ withKey: "false" })).toEqual([token.requestId]);
    }
    expect((await listRequests(contextOf(person), requests({ includePortal: "true" }))).requests.filter((call) => call.portal).map(({ route }) => route).sort()).toEqual(["/api/v1/auth/me", "portal/createKey"]);
  });

  it("another person of the same tenant sees nothing of it; an administrator sees all, by tenant and person", async () => {
    const { id, person } = await aKey();
    await addCalls(aCall(person, { apiKeyId: id }));
    await foldUsage();
    const neighbour = contextOf(await aPerson({ tenant: person.tenant }));
    expect((await listRequests(neighbour, requests({ apiKeyId: id }))).requests).toEqual([]);
    await expect(listAllRequests(neighbour, all())).rejects.toMatchObject({ code: "insufficient_permission" });
    const admin = contextOf(await aPerson({ role: "admin" }));
    expect((await listRequests(admin, requests({ apiKeyId: id }))).requests).toEqual([]);
    const found = await listAllRequests(admin, all({ tenantId: person.tenantId, userId: person.userId }));
    expect(found.requests).toMatchObject([{ apiKeyId: id, tenantId: person.tenantId, userId: person.userId, user: person.username, keyName: "k" }]);
    expect((await listAllRequests(admin, all({ tenantId: admin.tenantId }))).requests).toEqual([]);
  });
});
