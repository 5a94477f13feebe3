import { describe, expect, it } from "vitest";
import { attentionFor, type Situation } from "./attention";

const now = Date.parse("2026-01-01T00:00:00.000Z");
const well: Situation = { grant: "active", isGrantNeeded: true, keys: [{ name: "a", status: "active", expiresAt: null }], credits: { available: 900, total: 1000 }, now };
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
    expect(titles({ grant: "missing", keys: [{ name: "a", status: "revoked", expiresAt: null }] })).toEqual([]);
  });

  it("names keys that expire within a week, and credits that end", () => {
    expect(titles({ keys: [{ name: "a", status: "active", expiresAt: "2026-01-05T00:00:00.000Z" }] })).toEqual(["Key “a” expires soon"]);
    expect(titles({ keys: [{ name: "a", status: "active", expiresAt: "2026-02-05T00:00:00.000Z" }] })).toEqual([]);
    expect(titles({ credits: { available: 0, total: 5 } })).toEqual(["No credits are left"]);
  });
});
