import { describe, expect, it } from "vitest";
import { safeReturnTo } from "./return-to";

describe("where to go after signing in", () => {
  it("is the page that was asked for", () => {
    for (const path of ["/keys", "/keys?status=active&q=a%20b", "/chatflows/1#top"]) expect(safeReturnTo(path)).toBe(path);
  });

  it("is never another host, however it is written", () => {
    for (const given of ["https://evil.test", "//evil.test", "/\\evil.test", "\\\\evil.test", "/a\\..\\evil", "javascript:alert(1)", "/\u0000", "/\t/evil.test", "", null, ["/keys"], `/${"a".repeat(2000)}`]) {
      expect(safeReturnTo(given), String(given)).toBe("/overview");
    }
  });

  it("is not the way out again", () => {
    for (const given of ["/", "/sign-in?returnTo=/keys", "/signed-out", "/identity-unavailable?returnTo=/keys"]) expect(safeReturnTo(given)).toBe("/overview");
  });
});
