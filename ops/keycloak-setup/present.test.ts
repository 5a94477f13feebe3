import { describe, expect, it } from "vitest";
import { versionOf } from "./present";

const exchange = (enabled: boolean) => ({ features: [{ name: "TOKEN_EXCHANGE_STANDARD_V2", enabled }] });

describe("the server's version", () => {
  it.each(["26.2.0", "26.7.3", "27.0.0"])("%s is new enough", (version) => expect(versionOf({ systemInfo: { version }, ...exchange(true) })).toBe(version));
  it.each(["26.1.5", "25.0.6", "9.0.0"])("%s is too old", (version) => expect(() => versionOf({ systemInfo: { version } })).toThrow(`${version} is too old`));
  it("may be unseen, and then the features tell", () => {
    expect(versionOf(exchange(true))).toBeNull();
    expect(versionOf({})).toBeNull();
    expect(() => versionOf({ features: [{ name: "ORGANIZATION", enabled: true }] })).toThrow("knows no standard token exchange");
    expect(() => versionOf({ systemInfo: { version: "26.7.3" }, ...exchange(false) })).toThrow("switched off");
  });
});
