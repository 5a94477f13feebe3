import { describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { db } from "@/lib/platform/db";
import { redis, redisReady } from "@/lib/platform/redis";
import { checkCall, createKey, revokeKey, whatIf, whatIfAny } from ".";
import { CreateKeyInput, WhatIfInput } from "./schemas";

async function aKey(input: object = {}) {
  const person = await aPerson();
  const ctx = contextOf(person);
  const { key, secret } = await createKey(ctx, CreateKeyInput.parse({ name: "k", permissions: ["chatflows:read"], ...input }));
  const ask = (about: object = {}) => whatIf(ctx, WhatIfInput.parse({ apiKeyId: key.id, ...about }));
  return { person, ctx, id: key.id, secret, ask };
}

const said = ({ steps }: Awaited<ReturnType<typeof whatIf>>) => Object.fromEntries(steps.map(({ check, passed }) => [check, passed]));

describe("what if", () => {
  it("tells of a call that would be admitted that every step asked for passes", async () => {
    const { ask } = await aKey({ allowedIps: ["10.0.0.0/8"] });
    const answer = await ask({ ip: "10.1.2.3", permission: "chatflows:read" });
    expect(answer).toMatchObject({ admitted: true, permissions: ["chatflows:read"], permission: "chatflows:read" });
    expect(said(answer)).toEqual({ revoked: true, expired: true, disabled: true, owner: true, role: true, address: true, permission: true, rate_limit: true });
    expect(said(await ask())).toMatchObject({ address: null, permission: null, rate_limit: true });
  });

  it("names the step that refuses, with what it saw and the limit; what comes after was not reached", async () => {
    const { ask } = await aKey({ allowedIps: ["10.0.0.0/8"] });
    const elsewhere = await ask({ ip: "192.0.2.1", permission: "chatflows:read" });
    expect(elsewhere).toMatchObject({ admitted: false, code: "ip_not_allowed" });
    expect(said(elsewhere)).toMatchObject({ role: true, address: false, permission: null, rate_limit: null });
    expect(elsewhere.steps.find(({ passed }) => passed === false)).toEqual({ check: "address", passed: false, seen: "192.0.2.1", limit: ["10.0.0.0/8"] });
    expect(await ask({ permission: "nflow:read" })).toMatchObject({ code: "insufficient_permission", steps: expect.arrayContaining([{ check: "permission", passed: false, seen: ["chatflows:read"], limit: "nflow:read" }]) });
  });

  it("judges by the moment that is supposed", async () => {
    const { ask } = await aKey({ expiresIn: 3600 });
    expect(await ask()).toMatchObject({ admitted: true });
    expect(await ask({ at: new Date(Date.now() + 7_200_000).toISOString() })).toMatchObject({ admitted: false, code: "key_expired" });
  });

  it("takes nothing from any limit and counts as no call, however often it is asked", async () => {
    await redisReady();
    const { id, secret, ask } = await aKey({ rateLimit: { requests: 1, window: 60 } });
    for (let i = 0; i < 5; i++) expect(await ask()).toMatchObject({ admitted: true });
    expect((await checkCall({ kind: "secret", secret }, { ip: null })).ok).toBe(true);
    expect(said(await ask())).toMatchObject({ rate_limit: false });
    const checks = (await redis().xrange("sl:usage", "-", "+")).flatMap(([, fields]) => (fields[1] ?? "").split(",")).filter((check) => check.startsWith(id));
    expect(checks.length).toBeLessThanOrEqual(1);
  });

  it("works for a revoked key, and for others' keys only in administration", async () => {
    const { ctx, id, ask, person } = await aKey();
    await revokeKey(ctx, id);
    expect(await ask()).toMatchObject({ admitted: false, code: "key_revoked" });
    const input = WhatIfInput.parse({ apiKeyId: id });
    const [neighbour, admin] = [contextOf(await aPerson({ tenant: person.tenant })), contextOf(await aPerson({ role: "admin" }))];
    for (const other of [neighbour, admin]) await expect(whatIf(other, input)).rejects.toMatchObject({ code: "not_found" });
    await expect(whatIfAny(neighbour, input)).rejects.toMatchObject({ code: "insufficient_permission" });
    expect(await whatIfAny(admin, input)).toMatchObject({ code: "key_revoked" });
    expect((await db().apiKey.findUniqueOrThrow({ where: { id } })).lastRequestAt).toBeNull();
  });
});
