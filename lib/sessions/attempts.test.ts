import { encode } from "@auth/core/jwt";
import { NextRequest } from "next/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { env } from "@/lib/platform/env";
import { attemptsMax, checkCookies, keepAttempt, type OwnCookie, restoreAttempt, wantedCookie } from "./attempts";
import { readPurpose } from "./purpose";

const callback = "http://localhost:3000/api/auth/callback/keycloak";
const [stateName = "", nonceName = "", verifierName = ""] = checkCookies();
const minute = 60_000;
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** A sign-in that Auth.js began, in a browser that has these cookies. */
async function begin(state: string, wanted: string, has: string[] = [], purpose: Parameters<typeof keepAttempt>[3] = null): Promise<OwnCookie[]> {
  const seal = (name: string, value: string) => encode({ token: { value, provider: "keycloak" }, secret: env().AUTH_SECRET, salt: name });
  const set = new Map([[nonceName, await seal(nonceName, `nonce of ${state}`)], [verifierName, await seal(verifierName, `verifier of ${state}`)], [wantedCookie(), wanted]]);
  return keepAttempt(`https://kc.test/auth?state=${state}`, (name) => set.get(name), has, purpose);
}

const comeBack = (state: string, ...kept: (OwnCookie | undefined)[]) => restoreAttempt(new NextRequest(`${callback}?code=c&state=${state}`, { headers: { cookie: ["other=1", ...kept.map((one) => `${one?.name}=${one?.value}`)].join("; ") } }));

it("each attempt comes back with its own checks, page and purpose", async () => {
  const [one] = await begin("one", "/keys", [], { kind: "account", returnTo: "/sessions" });
  const [two] = await begin("two", "/usage");
  const back = await comeBack("one", one, two);
  const cookies = back?.request.cookies;
  expect(cookies?.get("other")?.value).toBe("1");
  expect(cookies?.get(wantedCookie())?.value).toBe("/keys");
  expect([stateName, nonceName, verifierName].every((name) => cookies?.has(name))).toBe(true);
  expect(await readPurpose(back?.request.headers.get("cookie") ?? null)).toMatchObject({ kind: "account" });
  expect(back?.spent).toMatchObject({ name: one?.name, value: "", maxAge: 0 });
  const other = await comeBack("two", one, two);
  expect(other?.request.cookies.get(wantedCookie())?.value).toBe("/usage");
  expect(await readPurpose(other?.request.headers.get("cookie") ?? null)).toBeNull();
});

it("a sign-in that takes 45 minutes at Keycloak still counts, and one of more than an hour does not", async () => {
  const [kept] = await begin("slow", "/keys");
  vi.setSystemTime(Date.now() + 45 * minute);
  expect((await comeBack("slow", kept))?.request.cookies.get(wantedCookie())?.value).toBe("/keys");
  vi.setSystemTime(Date.now() + 16 * minute);
  expect(await comeBack("slow", kept)).toBeNull();
});

it("an attempt under another one's name is none", async () => {
  const [one] = await begin("one", "/keys");
  const [two] = await begin("two", "/usage");
  expect(await comeBack("one", { ...one!, value: two!.value })).toBeNull();
  expect(await comeBack("three", one, two)).toBeNull();
});

it("the oldest attempts end when there would be too many", async () => {
  const names: string[] = [];
  for (let i = 0; i < attemptsMax; i++) {
    const [kept] = await begin(`state${i}`, "/keys", names);
    names.push(kept!.name);
    vi.setSystemTime(Date.now() + 1000);
  }
  const [ended, begun, ...more] = await begin("newest", "/keys", [...names].reverse());
  expect(ended).toMatchObject({ name: names[0], maxAge: 0 });
  expect(begun?.maxAge).toBe(3600);
  expect(more).toEqual([]);
  expect(begun!.name.length + begun!.value.length).toBeLessThan(700);
});
