import { describe, expect, it } from "vitest";
import { type Area, Blocked, once, passed, runArea, wordsOf } from "./check";
import { examine, secretsOf } from "./doctor";
import { cleaned, countOf, linesOf } from "./report";

const area = (...checks: Area["checks"]): Area => ({ name: "part", checks });

describe("an area", () => {
  it("bounds a check that never ends, and goes on to the next", async () => {
    const findings = await runArea(area({ name: "silent", cure: "wake it", run: () => new Promise(() => undefined) }, { name: "next", cure: "", run: async () => passed("") }), 20);
    expect(findings).toEqual([{ area: "part", check: "silent", outcome: "failed", detail: "no answer within 0.02 s", cure: "wake it" }, { area: "part", check: "next", outcome: "passed", detail: "" }]);
  });

  it("tells of what is in the way once; whoever leans on it is not applicable", async () => {
    const connect = once("the connection", async () => { throw new Error("refused"); });
    const findings = await runArea(area({ name: "connects", cure: "start it", run: async () => (await connect(), passed("")) }, { name: "version", cure: "x", run: async () => (await connect(), passed("")) }));
    expect(findings.map((f) => f.outcome)).toEqual(["failed", "not applicable"]);
    expect(findings[1]).toMatchObject({ why: "needs the connection, see above" });
  });

  it("closes what it opened, also when a check threw, and forgives a failing close", async () => {
    let closed = 0;
    await runArea({ ...area({ name: "a", cure: "", run: async () => { throw new Blocked("x"); } }), close: async () => { closed++; throw new Error("late"); } });
    expect(closed).toBe(1);
  });

  it("finds the words below a failed connection", () => {
    expect(wordsOf(new TypeError("fetch failed", { cause: new AggregateError([new Error("connect ECONNREFUSED ::1:9")]) }))).toBe("connect ECONNREFUSED ::1:9");
  });
});

describe("the report", () => {
  it("holds no secret, wherever the words came from", () => {
    const secrets = secretsOf({ KEYCLOAK_CLIENT_SECRET: "s3cr3t-value", DATABASE_URL: "postgresql://u:p%40ssword-1@db/x", SESSION_KEKS: "k1:AAAABBBBCCCC=,k2:DDDDEEEEFFFF=", AUTH_URL: "https://sluice.test", TOKEN_NARROWING: "exchange" });
    expect(cleaned("s3cr3t-value p%40ssword-1 p@ssword-1 AAAABBBBCCCC= DDDDEEEEFFFF= eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln exchange", secrets)).toBe("*** *** *** *** *** *** exchange");
  });

  it("has a line for each finding, with the cure below a failure", () => {
    const findings = [{ area: "a", check: "b", outcome: "failed", detail: "gone", cure: "bring it back" }, { area: "a", check: "c", outcome: "passed", detail: "well", advice: "still" }, { area: "a", check: "d", outcome: "not applicable", why: "no reason" }] as const;
    expect(linesOf([...findings])).toEqual(["FAILED          a: b (gone)", "                → bring it back", "passed          a: c (well)", "                  note: still", "not applicable  a: d (no reason)"]);
    expect(countOf([...findings])).toEqual({ passed: 1, failed: 1, notApplicable: 1 });
  });

  it("has the parser's lines where settings cannot be used, and never a value", () => {
    const { doctor, lines } = examine({ AUTH_SECRET: "short-secret", AUTH_URL: "http://sluice.test" });
    expect(doctor).toBeNull();
    expect(lines).toEqual(expect.arrayContaining(["AUTH_SECRET must be at least 32 characters", "DATABASE_URL is missing"]));
    expect(lines.join()).not.toContain("short-secret");
  });
});
