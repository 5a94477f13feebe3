import { describe, expect, it } from "vitest";
import { type ApiKeyView, CreateKeyInput, UpdateKeyInput } from "@/lib/keys/schemas";
import { changeWords } from "../[id]/_components/change-words";
import { atFormFields, expiryChoices, formOf, KeyForm, type KeyFormValues, toCreateInput, toUpdateInput } from "./key-form-schema";

const dayMs = 86_400_000;
const flow = "11111111-1111-4111-8111-111111111111";
const key: ApiKeyView = {
  id: "01890000-0000-7000-8000-000000000001", name: "reports", description: null, start: "slk_abcd", last4: "wxyz", permissions: ["ai:*"], chatflowIds: null, rateLimit: { requests: 50, window: 900 },
  expiresAt: "2030-01-01T12:00:00.000Z", allowedIps: ["203.0.113.7/32", "10.0.0.0/8", "2001:db8::1/128"], isActive: true, status: "active", createdAt: "2026-01-01T00:00:00.000Z", createdBy: { type: "user", id: null },
  updatedAt: "2026-01-01T00:00:00.000Z", lastUsedAt: null, lastRequestAt: null, requestCount: 0, revokedAt: null, revokedReason: null, tenantId: "01890000-0000-7000-8000-000000000002",
  userId: "01890000-0000-7000-8000-000000000003", actsUntil: null, rotation: null,
};
const held = ["ai:predict", "ai:train", "ai:admin"] as const;
const form = (change: Partial<KeyFormValues> = {}): KeyFormValues => ({ ...formOf(key, held), ...change });
const update = (change: Partial<KeyFormValues>, endsAtMost: Date | null = null) => toUpdateInput(KeyForm.parse(form(change)), key, held, endsAtMost);
const faults = (change: Partial<KeyFormValues>) => KeyForm.safeParse(form(change)).error?.issues.map((issue) => [issue.path.join("."), issue.message]);

describe("the form of a key", () => {
  it("changes nothing when nothing was touched, wildcards, odd windows and single addresses included", () => {
    expect(update({})).toBeNull();
    expect(update({ allowedIps: "203.0.113.7\n\n  10.0.0.0/8 \n2001:db8::1" })).toBeNull();
  });

  it("sends what differs and nothing else, in a shape that the action takes", () => {
    const changes = [
      update({ name: "new" }), update({ description: " x " }), update({ permissions: ["ai:predict"] }), update({ rateLimit: { requests: "7", window: "60" } }), update({ expiresAt: "never" }),
      update({ chatflowIds: [flow] }), update({ allowedIps: "" }),
    ];
    expect(changes).toEqual([{ name: "new" }, { description: "x" }, { permissions: ["ai:predict"] }, { rateLimit: { requests: 7, window: 60 } }, { expiresAt: null }, { chatflowIds: [flow] }, { allowedIps: [] }]);
    for (const change of changes) expect(UpdateKeyInput.safeParse(change).success).toBe(true);
  });

  it("names each faulty line of the addresses by its number, and no more than five", () => {
    expect(faults({ allowedIps: "10.0.0.1\n\nx\n10.0.0.0/33" })).toEqual([["allowedIps", expect.stringMatching(/^Line 3: “x” must be .*\nLine 4: “10\.0\.0\.0\/33” must be/)]]);
    expect(faults({ allowedIps: "x\n".repeat(8) })?.[0]?.[1]).toMatch(/and 3 more$/);
    expect(faults({ allowedIps: "10.0.0.1\n".repeat(101) })).toHaveLength(1);
    expect(faults({ allowedIps: "::ffff:10.0.0.1\n2001:db8::/32" })).toBeUndefined();
  });

  it("asks for a chatflow where only some are allowed, for a day where a day was chosen, and for one to come", () => {
    expect(faults({ chatflowIds: [] })?.map(([path]) => path)).toEqual(["chatflowIds"]);
    expect(faults({ expiresAt: "date" })?.map(([path]) => path)).toEqual(["expiresOn"]);
    expect(faults({ expiresAt: "date", expiresOn: "2020-01-01" })?.map(([path]) => path)).toEqual(["expiresOn"]);
    expect(faults({ expiresAt: "date", expiresOn: "2999-01-01" })).toBeUndefined();
  });

  it("a new key's end is counted by the server unless it is a date, and the longest life is kept to", () => {
    const made = (change: Partial<KeyFormValues>, lifetimeDays: number | null = null) => toCreateInput(KeyForm.parse(form({ description: "", allowedIps: "", ...change })), lifetimeDays);
    expect(made({ expiresAt: "30" })).toMatchObject({ expiresIn: 30 * 86_400 });
    expect(made({ expiresAt: "latest" }, 20)).toMatchObject({ expiresIn: 20 * 86_400 });
    expect(made({ expiresAt: "never" })).toMatchObject({ expiresAt: null });
    expect(made({ expiresAt: "date", expiresOn: "2999-01-01" }).expiresAt).toMatch(/^(2998-12-31|2999-01-0[12])T/);
    for (const input of [made({ expiresAt: "30" }), made({ expiresAt: "never" }), made({ expiresAt: "30", allowedIps: "10.0.0.1", chatflowIds: [flow], description: "d" })]) expect(CreateKeyInput.safeParse(input).success).toBe(true);
  });

  it("what the server says of an end stands at the field that asked for it, whichever kind was sent", () => {
    const told = (pointer: string) => atFormFields({ detail: "d", errors: [{ pointer, detail: "too long" }] });
    for (const pointer of ["/expiresIn", "/expiresAt"]) expect(told(pointer)).toEqual({ detail: "d", errors: [{ pointer: "/expiresAt", detail: "too long" }] });
    expect(told("/name").errors).toEqual([{ pointer: "/name", detail: "too long" }]);
    expect(atFormFields({})).toEqual({});
  });

  it("offers only ends that the longest life leaves", () => {
    const values = (days: number | null) => expiryChoices(days === null ? null : new Date(Date.now() + days * dayMs)).map((choice) => choice.value);
    expect(values(null)).toEqual(["7", "30", "90", "365", "date", "never"]);
    expect(values(31)).toEqual(["7", "30", "latest", "date"]);
    expect(values(-1)).toEqual(["date"]);
    expect(values(1)).toEqual(["latest", "date"]);
  });

  it("the last day that is allowed ends when the longest life does; a later one is left to the server to refuse", () => {
    const end = new Date("2999-01-01T12:00:00");
    expect(update({ expiresAt: "date", expiresOn: "2999-01-01" }, end)).toEqual({ expiresAt: end.toISOString() });
    expect(update({ expiresAt: "date", expiresOn: "2999-01-05" }, end)?.expiresAt).toBe(new Date("2999-01-05T23:59:59.999").toISOString());
  });
});

describe("what a change says beforehand", () => {
  it("is a sentence for each part of it", () => {
    const say = (change: Partial<KeyFormValues>) => changeWords(update(change) ?? {}, key, held, [{ id: flow, name: "Support" }]);
    expect(say({ name: "new" })).toEqual(["It is called “new” instead of “reports”."]);
    expect(say({ permissions: ["ai:predict", "nflow:read"] })).toEqual(["New: it may read NFlow applications.", "Gone: feed documents to chatflows.", "Gone: manage chatflows in Flowise, see how they ran."]);
    expect(say({ chatflowIds: [flow] })).toEqual(["It may call only Support."]);
    expect(say({ allowedIps: "203.0.113.7\n192.0.2.0/24" })).toEqual(["Also from 192.0.2.0/24. No longer from 10.0.0.0/8, 2001:db8::1."]);
    expect(say({ allowedIps: "" })).toEqual(["It may be called from anywhere."]);
    expect(say({ rateLimit: { requests: "1", window: "60" } })[0]).toMatch(/^1 call per minute instead of 50 calls per 900 seconds/);
    expect(say({ expiresAt: "never" })).toEqual(["It never expires, before: January 1, 2030."]);
  });
});
