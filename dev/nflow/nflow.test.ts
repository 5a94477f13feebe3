import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aRealm } from "../testing/identity";
import { type Nflow, startNflow } from "./server";

type Realm = Awaited<ReturnType<typeof aRealm>>;
let realm: Realm;
let nflow: Nflow;
beforeAll(async () => {
  realm = await aRealm();
  nflow = await startNflow({ issuer: realm.issuer });
});
afterAll(async () => {
  await nflow.close();
  await realm.close();
});

const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const answer = await fetch(nflow.url + path, { method, headers: { "content-type": "application/json", ...headers }, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return { status: answer.status, json: text ? JSON.parse(text) : null };
};

describe("NFlow's stand-in", () => {
  it("refuses a call without a token, with a foreign one and with one for several audiences, before it looks at the body", async () => {
    for (const authorization of [undefined, "Bearer nonsense", `Bearer ${(await realm.tokensFor("uma")).accessToken}`]) {
      const answer = await ask("POST", "/builder/apps", "not even an object", authorization ? { authorization } : {});
      expect([answer.status, answer.json.errors]).toEqual([401, ["UNAUTHORIZED"]]);
    }
  });

  it("remembers calls, and does once what it was told to do wrong", async () => {
    await fetch(`${nflow.origin}/__calls`, { method: "DELETE" });
    await fetch(`${nflow.origin}/__control`, { method: "POST", body: JSON.stringify({ failNext: { status: 503, times: 1 } }) });
    expect((await ask("GET", "/me")).status).toBe(503);
    expect((await ask("GET", "/me")).status).toBe(401);
    const calls = (await (await fetch(`${nflow.origin}/__calls`)).json()) as { path: string }[];
    expect(calls.map((c) => c.path)).toEqual(["/v1/me", "/v1/me"]);
    expect((await fetch(`${nflow.origin}/__control`, { method: "POST", body: JSON.stringify({ nonsense: 1 }) })).status).toBe(400);
  });

  it("answers the doors for tests below its /v1 too, and counts neither as a call", async () => {
    await fetch(`${nflow.url}/__calls`, { method: "DELETE" });
    expect((await ask("GET", "/me")).status).toBe(401);
    expect((await fetch(`${nflow.url}/__control`, { method: "POST", body: JSON.stringify({ reset: true }) })).status).toBe(200);
    const paths = async () => ((await (await fetch(`${nflow.url}/__calls`)).json()) as { path: string }[]).map(({ path }) => path);
    expect(await paths()).toEqual(["/v1/me"]);
    expect(await paths()).toEqual(["/v1/me"]);
  });
});
