import { describe, expect, it } from "vitest";
import { apiQuery, pageQuery, requestFilterFrom } from "./filter";

const key = "0190a0b0-0000-7000-8000-000000000001";

describe("the filter of requests", () => {
  it("goes to the URL and comes back the same", () => {
    for (const query of ["", `key=${key}&status=4xx&span=hour`, `user=${key}`, "status=499", "status=refused", "status=error&portal=true", "key=any"]) {
      const filter = requestFilterFrom(Object.fromEntries(new URLSearchParams(query)));
      expect(pageQuery(filter)).toBe(new URLSearchParams(pageQuery(requestFilterFrom(Object.fromEntries(new URLSearchParams(pageQuery(filter)))))).toString());
      expect(new Set(pageQuery(filter).split("&"))).toEqual(new Set(query.split("&")));
    }
  });

  it("what makes no sense means all", () => {
    expect(requestFilterFrom({ key: "'; --", status: "9xx", span: "aeon", portal: "yes", user: ["a", "b"] })).toEqual({ key: "all", status: "all", span: "month", portal: false, user: null });
  });

  it("asks the API from the start of the time that is looked at", () => {
    expect(apiQuery({ key, status: "5xx", span: "hour", portal: false, user: null }, 3_600_000)).toEqual({ apiKeyId: key, status: "5xx", from: "1970-01-01T00:00:00.000Z" });
    expect(["none", "any", "all"].map((which) => apiQuery(requestFilterFrom({ key: which }), 0))).toEqual([{ withKey: "false" }, { withKey: "true" }, {}]);
  });

  it("leaves the portal's own calls out until they are asked for", () => {
    expect(apiQuery(requestFilterFrom({}), 0)).toEqual({});
    expect(apiQuery(requestFilterFrom({ portal: "true" }), 0)).toEqual({ includePortal: "true" });
  });
});
