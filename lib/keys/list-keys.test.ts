import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import type { Person } from "@/lib/access";
import { moveClock, now, resetClock } from "@/lib/platform/clock";
import { db, type Prisma } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";
import { listKeyActivity } from "@/lib/usage";
import { listKeyReminders, listKeys } from ".";
import { type KeyOrder, keyOrders, type KeySort, keySorts, type KeyStatus, keyStatuses, ListKeysInput } from "./schemas";

const dayMs = 86_400_000;
const start = Date.parse("2026-03-01T00:00:00.000Z");
const day = (n: number) => new Date(start + n * dayMs);

function rowFor(person: Person, given: Partial<Prisma.ApiKeyCreateManyInput> = {}): Prisma.ApiKeyCreateManyInput {
  return {
    id: newId(), tenantId: person.tenantId, userId: person.userId, name: "k", secretHash: randomBytes(32).toString("hex"), start: "slk_abcd", last4: "wxyz",
    permissions: ["ai:predict"], rateRequests: 1, rateWindow: 1, createdByType: "user", createdById: person.userId, updatedAt: new Date(), ...given,
  };
}

type Rows = Prisma.ApiKeyCreateManyInput[];
const time = (value: Date | string | null | undefined, never: number) => (value ? new Date(value).getTime() : never);
const place: Record<KeySort, (row: Rows[number]) => number | string> = {
  createdAt: (row) => time(row.createdAt, NaN),
  name: (row) => row.name.toLowerCase(),
  lastUsedAt: (row) => time(row.lastUsedAt, -Infinity),
  expiresAt: (row) => time(row.expiresAt, Infinity),
};

/** What the list should be, written as simply as can be. */
function inOrder(rows: Rows, sort: KeySort, order: KeyOrder): string[] {
  const compare = (a: number | string, b: number | string) => (a < b ? -1 : a > b ? 1 : 0);
  const sign = order === "asc" ? 1 : -1;
  return [...rows].sort((a, b) => sign * (compare(place[sort](a), place[sort](b)) || compare(a.id, b.id))).map((row) => row.id);
}

/** Many ties, many nulls: what breaks cursors. */
function manyRows(person: Person, count: number): Rows {
  return Array.from({ length: count }, (_, i) => rowFor(person, {
    name: `${i % 2 ? "Key" : "key"}${i % 4}`, createdAt: day(i % 5),
    lastUsedAt: i % 3 === 0 ? null : day(10 + (i % 4)), expiresAt: i % 4 === 0 ? null : new Date(Date.now() + ((i % 7) - 3) * dayMs),
    disabledAt: i % 6 === 1 ? day(1) : null, revokedAt: i % 8 === 2 ? day(2) : null,
  }));
}

function statusOf(row: Rows[number]): KeyStatus {
  if (row.revokedAt) return "revoked";
  if (time(row.expiresAt, Infinity) <= Date.now()) return "expired";
  return row.disabledAt ? "disabled" : "active";
}

async function allPages(person: Person, input: object, between: () => Promise<void> = async () => undefined): Promise<string[]> {
  const ctx = contextOf(person);
  const seen: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await listKeys(ctx, ListKeysInput.parse({ limit: 3, ...(cursor ? { cursor } : input), ...(cursor && "status" in input && { status: input.status }) }));
    seen.push(...page.keys.map((key) => key.id));
    cursor = page.nextCursor;
    await between();
  }
  return seen;
}

describe("the list of keys", () => {
  it("comes whole and in order for every sort, order and status, page by page, with ties and with keys that were never used or never expire", async () => {
    const person = await aPerson();
    const rows = manyRows(person, 40);
    await db().apiKey.createMany({ data: rows });
    for (const sort of keySorts) for (const order of keyOrders) {
      expect(await allPages(person, { sort, order }), `${sort} ${order}`).toEqual(inOrder(rows, sort, order));
      for (const status of keyStatuses) {
        const expected = rows.filter((row) => statusOf(row) === status);
        expect(expected.length).toBeGreaterThan(0);
        expect(await allPages(person, { sort, order, status }), `${sort} ${order} ${status}`).toEqual(inOrder(expected, sort, order));
      }
    }
  });

  it("loses no key and shows none twice while others come and go between the pages", async () => {
    for (const sort of keySorts) for (const order of keyOrders) {
      const person = await aPerson();
      const rows = manyRows(person, 20);
      await db().apiKey.createMany({ data: rows });
      let passing: Rows = [];
      let rounds = 0;
      const seen = await allPages(person, { sort, order }, async () => {
        // Were there always more, some orders would have no end.
        if (++rounds > 5) return;
        await db().apiKey.deleteMany({ where: { id: { in: passing.map((row) => row.id) } } });
        passing = manyRows(person, 9);
        await db().apiKey.createMany({ data: passing });
      });
      expect(seen.length, "shown twice").toBe(new Set(seen).size);
      const staying = new Set(rows.map((row) => row.id));
      expect(seen.filter((id) => staying.has(id)), `${sort} ${order}`).toEqual(inOrder(rows, sort, order));
    }
  });

  it("is newest first at rest, and each sort has its own resting order", async () => {
    const person = await aPerson();
    const rows = manyRows(person, 12);
    await db().apiKey.createMany({ data: rows });
    const ids = async (input: object) => (await listKeys(contextOf(person), ListKeysInput.parse(input))).keys.map((key) => key.id);
    expect(await ids({})).toEqual(inOrder(rows, "createdAt", "desc"));
    expect(await ids({ sort: "name" })).toEqual(inOrder(rows, "name", "asc"));
    expect(await ids({ sort: "lastUsedAt" })).toEqual(inOrder(rows, "lastUsedAt", "desc"));
    expect(await ids({ sort: "expiresAt" })).toEqual(inOrder(rows, "expiresAt", "asc"));
  });

  it("a cursor that is forged, cut or of another sort is refused", async () => {
    const person = await aPerson();
    await db().apiKey.createMany({ data: manyRows(person, 5) });
    const { nextCursor } = await listKeys(contextOf(person), ListKeysInput.parse({ sort: "name", limit: 2 }));
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const id = newId();
    const faults = [
      { cursor: nextCursor, sort: "createdAt" }, { cursor: nextCursor, order: "desc" }, { cursor: nextCursor?.slice(0, -8) }, { cursor: "e30" }, { cursor: "" },
      { cursor: forged(["createdAt", "desc", null, id]) }, { cursor: forged(["createdAt", "desc", "yesterday", id]) }, { cursor: forged(["name", "asc", null, id]) },
      { cursor: forged(["secretHash", "asc", "0", id]) }, { cursor: forged(["name", "asc", "a", "1"]) }, { cursor: forged(["name", "asc; DROP TABLE x", "a", id]) },
    ];
    for (const input of faults) await expect(listKeys(contextOf(person), ListKeysInput.parse(input)), JSON.stringify(input)).rejects.toMatchObject({ code: "validation_failed", options: { errors: [{ pointer: "/query/cursor" }] } });
  });

  it("somebody else's cursor leads to one's own keys only", async () => {
    const [owner, other] = [await aPerson(), await aPerson()];
    await db().apiKey.createMany({ data: [...manyRows(owner, 6), ...manyRows(other, 6)] });
    const { nextCursor } = await listKeys(contextOf(owner), ListKeysInput.parse({ sort: "name", limit: 2 }));
    const { keys } = await listKeys(contextOf(other), ListKeysInput.parse({ cursor: nextCursor }));
    expect(new Set(keys.map((key) => key.userId))).toEqual(new Set([other.userId]));
  });
});

describe("reminders", () => {
  afterEach(() => resetClock());

  const kinds = async (person: Person) => (await listKeyReminders(contextOf(person))).map((reminder) => reminder.kind);
  const at = 4_000_000_000_000;
  const before = (ms: number) => new Date(at - ms);
  /** Our clock stands still enough: a run takes less than the minute on either side of each boundary. */
  const standAt = () => { resetClock(); moveClock(at - Date.now()); };
  const minute = 60_000;

  async function aKey(given: Partial<Prisma.ApiKeyCreateManyInput>): Promise<Person> {
    const person = await aPerson();
    await db().apiKey.createMany({ data: [rowFor(person, { secretSince: before(dayMs), ...given })] });
    standAt();
    return person;
  }

  it("an expiry is named from 14 days before it, and for a week after", async () => {
    expect(await kinds(await aKey({ expiresAt: before(-14 * dayMs - minute) }))).toEqual([]);
    expect(await kinds(await aKey({ expiresAt: before(-14 * dayMs + minute) }))).toEqual(["expiring"]);
    expect(await kinds(await aKey({ expiresAt: before(-minute) }))).toEqual(["expiring"]);
    expect(await kinds(await aKey({ expiresAt: before(minute) }))).toEqual(["expired_recently"]);
    expect(await kinds(await aKey({ expiresAt: before(7 * dayMs - minute) }))).toEqual(["expired_recently"]);
    expect(await kinds(await aKey({ expiresAt: before(7 * dayMs + minute) }))).toEqual([]);
  });

  it("a secret is old at 90 days, whatever the age of its key", async () => {
    expect(await kinds(await aKey({ createdAt: before(400 * dayMs), secretSince: before(90 * dayMs - minute) }))).toEqual([]);
    const person = await aKey({ createdAt: before(400 * dayMs), secretSince: before(90 * dayMs + minute), name: "elder" });
    expect(await listKeyReminders(contextOf(person))).toEqual([expect.objectContaining({ kind: "old", name: "elder", at: before(90 * dayMs + minute).toISOString() })]);
  });

  it("an earlier secret is named when it is still called and its overlap ends within 3 days", async () => {
    const rotatedAt = before(5 * dayMs);
    const rotated = async (secret: { overlapEndsAt: Date; lastUsedAt: Date | null }) => {
      const person = await aPerson();
      const row = rowFor(person, { secretSince: rotatedAt });
      await db().apiKey.createMany({ data: [row] });
      await db().earlierSecret.create({ data: { hash: randomBytes(32).toString("hex"), apiKeyId: row.id, tenantId: person.tenantId, rotatedAt, ...secret } });
      standAt();
      return kinds(person);
    };
    const used = before(dayMs);
    expect(await rotated({ overlapEndsAt: before(-3 * dayMs + minute), lastUsedAt: used })).toEqual(["earlier_secret_used"]);
    expect(await rotated({ overlapEndsAt: before(-3 * dayMs - minute), lastUsedAt: used })).toEqual([]);
    expect(await rotated({ overlapEndsAt: before(-minute), lastUsedAt: used })).toEqual(["earlier_secret_used"]);
    expect(await rotated({ overlapEndsAt: before(minute), lastUsedAt: used })).toEqual([]);
    expect(await rotated({ overlapEndsAt: before(-dayMs), lastUsedAt: null })).toEqual([]);
    expect(await rotated({ overlapEndsAt: before(-dayMs), lastUsedAt: before(6 * dayMs) })).toEqual([]);
  });

  it("disabled and revoked keys remind of nothing, and nobody is reminded of another's", async () => {
    const ripe = { expiresAt: before(-dayMs), secretSince: before(100 * dayMs) };
    expect(await kinds(await aKey({ ...ripe, disabledAt: before(dayMs) }))).toEqual([]);
    expect(await kinds(await aKey({ ...ripe, revokedAt: before(dayMs) }))).toEqual([]);
    const owner = await aKey(ripe);
    const [first] = await listKeyReminders(contextOf(owner));
    expect(await kinds(owner)).toEqual(["expiring", "old"]);
    expect(await listKeyReminders(contextOf(owner), { apiKeyId: first?.apiKeyId })).toHaveLength(2);
    for (const outsider of [await aPerson({ tenant: owner.tenant }), await aPerson({ role: "admin" })]) {
      expect(await kinds(outsider)).toEqual([]);
      expect(await listKeyReminders(contextOf(outsider), { apiKeyId: first?.apiKeyId })).toEqual([]);
    }
    await expect(listKeyReminders(contextOf(owner, { permissions: ["ai:predict"] }))).rejects.toMatchObject({ code: "insufficient_permission" });
  });
});

describe("the activity in the list", () => {
  afterEach(() => resetClock());

  it("has each key's last 36 hours, the present one last, of one's own keys only, and is there only when asked for", async () => {
    const person = await aPerson();
    const [busy, idle] = [rowFor(person, { name: "busy" }), rowFor(person, { name: "idle" })];
    await db().apiKey.createMany({ data: [busy, idle] });
    // Half past, so that the hour does not turn under us.
    moveClock(1_800_000 - (Date.now() % 3_600_000));
    const hour = Math.floor(now() / 3_600_000);
    const rollup = (hoursAgo: number, requests: number, refused: number, route = "") =>
      ({ tenantId: person.tenantId, userId: person.userId, apiKeyId: busy.id, route, hour: new Date((hour - hoursAgo) * 3_600_000), requests, refused });
    // A route tells which of the calls that the check admitted were refused after it.
    await db().usageRollup.createMany({ data: [rollup(0, 6, 0), rollup(0, -1, 1, "/api/v1/chat/predict"), rollup(35, 7, 0), rollup(36, 9, 9)] });
    const { keys } = await listKeys(contextOf(person), ListKeysInput.parse({ sort: "name", activity: "true" }));
    const [first, second] = keys.map((key) => key.activity);
    expect(first).toHaveLength(36);
    expect([first?.[0], first?.[35]]).toEqual([{ requests: 7, refused: 0 }, { requests: 5, refused: 1 }]);
    expect(first?.slice(1, 35).every((each) => each.requests === 0 && each.refused === 0)).toBe(true);
    expect(second?.every((each) => each.requests === 0)).toBe(true);
    expect((await listKeys(contextOf(person), ListKeysInput.parse({}))).keys[0]).not.toHaveProperty("activity");
    await expect(listKeys(contextOf(person, { permissions: ["api-keys:read"] }), ListKeysInput.parse({ activity: "true" }))).rejects.toMatchObject({ code: "insufficient_permission" });
    const other = await aPerson({ tenant: person.tenant });
    expect((await listKeyActivity(contextOf(other), [busy.id])).get(busy.id)?.every((each) => each.requests === 0)).toBe(true);
  });
});
