import { describe, expect, it } from "vitest";
import { paramsOf, peopleFilterFrom } from "./filter";

describe("the filter in the URL", () => {
  it("reads what it wrote", () => {
    const { filter, input } = peopleFilterFrom({ q: " uma ", role: "none", is_active: "false", tenant: "acme", sort: "last_seen_at", order: "asc" });
    expect(input).toEqual({ q: "uma", role: "none", is_active: false, tenant: "acme", sort: "last_seen_at", order: "asc", limit: 50 });
    expect(peopleFilterFrom(paramsOf(filter)).input).toEqual(input);
  });

  it("takes what makes no sense for nothing", () => {
    const { input, cursor } = peopleFilterFrom({ q: ["a", "b"], role: "king", is_active: "maybe", sort: "shoe size", order: "up", cursor: ["x"], other: "y" });
    expect([input, cursor]).toEqual([{ sort: "username", limit: 50 }, null]);
  });
});
