import { describe, expect, it } from "vitest";
import { keyOrders, keySorts, keyStatuses, ListKeysInput, restingOrder } from "@/lib/keys/schemas";
import { keyFilterFrom, keyListInput, keyQueryString, sortChoices, statusChoices } from "./filter";

describe("the filter of keys in the URL", () => {
  it("says the same there and back, for every status, sort and order", () => {
    for (const status of ["all", ...keyStatuses] as const) for (const sort of keySorts) for (const order of keyOrders) {
      const filter = { q: "a b", status, sort, order };
      expect(keyFilterFrom(Object.fromEntries(new URLSearchParams(keyQueryString(filter))))).toEqual(filter);
      expect(ListKeysInput.parse({ ...keyListInput(filter) })).toMatchObject({ sort, order, q: "a b" });
    }
  });

  it("takes what makes no sense as nothing", () => {
    expect(keyFilterFrom({ q: ["a", "b"], status: "gone", sort: "secretHash", order: "sideways" })).toEqual({ q: "", status: "all", sort: "createdAt", order: "desc" });
    expect(keyFilterFrom({ sort: "constructor" }).sort).toBe("createdAt");
    expect(keyQueryString(keyFilterFrom({}))).toBe("");
  });

  it("knows the words and resting orders of the schema", () => {
    expect(statusChoices.map((choice) => choice.value).sort()).toEqual(["all", ...keyStatuses].sort());
    expect(sortChoices.map((choice) => choice.value).sort()).toEqual(keySorts.flatMap((sort) => keyOrders.map((order) => `${sort}.${order}`)).sort());
    for (const sort of keySorts) expect(keyFilterFrom({ sort }).order).toBe(restingOrder[sort]);
  });
});
