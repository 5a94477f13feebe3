import { describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { aKey } from "@/dev/testing/usage";
import { transaction } from "@/lib/platform/db";
import { type AuditInput, listOwnEvents, recordAudit } from ".";
import { ListEventsInput } from "./schemas";
import type { Context } from "@/lib/access";

const write = (ctx: Context, event: AuditInput) => transaction((tx) => recordAudit(tx, ctx, event));
const list = (ctx: Context, query: object = {}) => listOwnEvents(ctx, ListEventsInput.parse(query));

describe("one's own audit events", () => {
  it("are what one did, what one's keys did, and what was done to either, and nobody else's", async () => {
    const { id, person } = await aKey();
    const ctx = contextOf(person);
    const neighbour = contextOf(await aPerson({ tenant: person.tenant }));
    const admin = contextOf(await aPerson({ role: "admin" }));
    await write(ctx, { action: "session.created" });
    await write(contextOf(person, { apiKeyId: id }), { action: "key.created" });
    await write(admin, { action: "key.revoked", target: { type: "apiKey", id }, tenantId: person.tenantId });
    await write(admin, { action: "credits.granted", target: { type: "user", id: person.userId }, tenantId: person.tenantId });
    await write(neighbour, { action: "session.created" });
    const { events } = await list(ctx);
    expect(events.map(({ action }) => action)).toEqual(["credits.granted", "key.revoked", "key.created", "session.created"]);
    // Where an administrator sits is not told.
    expect(events.map(({ ip }) => ip)).toEqual([null, null, "127.0.0.1", "127.0.0.1"]);
    expect((await list(ctx, { action: "key" })).events).toHaveLength(2);
    expect((await list(ctx, { action: "key.revoked" })).events).toHaveLength(1);
    expect((await list(ctx, { action: "ke" })).events).toEqual([]);
    expect((await list(ctx, { to: "2020-01-01T00:00:00Z" })).events).toEqual([]);
    await expect(list(contextOf(person, { permissions: ["usage:read"] }))).rejects.toMatchObject({ code: "insufficient_permission" });
  });

  it("come in pages from the newest, each once", async () => {
    const ctx = contextOf(await aPerson());
    for (let i = 0; i < 7; i++) await write(ctx, { action: `test.n${"abcdefg"[i]}` });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(ctx, { limit: "3", cursor });
      seen.push(...page.events.map(({ action }) => action.slice(-1)));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen.join("")).toBe("gfedcba");
    await expect(list(ctx, { cursor: "nonsense" })).rejects.toMatchObject({ code: "validation_failed" });
  });
});
