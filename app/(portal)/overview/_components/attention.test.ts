import { describe, expect, it } from "vitest";
import type { KeyReminder } from "@/lib/keys/schemas";
import { attentionFor, type Situation } from "./attention";

const well: Situation = { grant: "active", isGrantNeeded: true, keys: [{ status: "active" }], reminders: [], credits: { available: 900, total: 1000 } };
const titles = (change: Partial<Situation>) => attentionFor({ ...well, ...change }).map((item) => item.title);

describe("what needs attention", () => {
  it("is nothing when all is well, nor when something could not be read", () => {
    expect(titles({})).toEqual([]);
    expect(titles({ grant: null, credits: null })).toEqual([]);
  });

  it("names missing machine access only once there is a key that needs it", () => {
    expect(titles({ grant: "missing" })).toEqual(["Your keys cannot act as you yet"]);
    expect(titles({ grant: "missing", keys: [] })).toEqual([]);
    expect(titles({ grant: "missing", isGrantNeeded: false })).toEqual([]);
    expect(titles({ grant: "missing", keys: [{ status: "revoked" }] })).toEqual([]);
  });

  it("warns of machine access that ends soon, while it still works", () => {
    expect(titles({ grantEnds: "in 3 days" })).toEqual(["Machine access ends in 3 days"]);
    expect(titles({ grant: "needs_reauth", grantEnds: "in 3 days" })).toEqual(["Machine access is lost"]);
  });

  it("names credits that end", () => {
    expect(titles({ credits: { available: 0, total: 5 } })).toEqual(["No credits are left"]);
    expect(titles({ credits: { available: 40, total: 1000 } })).toEqual(["Credits run low"]);
  });

  it("names each kind of reminder once, the most urgent first, and leads to the key or to the list", () => {
    const reminder = (kind: KeyReminder["kind"], apiKeyId = "1") => ({ apiKeyId, name: "a", kind, at: "2026-01-05T00:00:00.000Z" });
    const items = attentionFor({ ...well, reminders: [reminder("old"), reminder("expiring"), reminder("expiring", "2"), reminder("earlier_secret_used")] });
    expect(items.map((item) => [item.title, item.href, item.tone])).toEqual([
      ["The old secret of “a” is still called, and soon ends", "/keys/1#rotation", "bad"],
      ["2 keys expire soon", "/keys?status=active&sort=expiresAt", "warn"],
      ["The secret of “a” is older than 90 days", "/keys/1#rotation", "warn"],
    ]);
  });
});
