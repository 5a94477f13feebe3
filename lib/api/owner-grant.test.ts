import { encode } from "@auth/core/jwt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Browser } from "@/dev/identity/browser";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { env, setEnv } from "@/lib/platform/env";
import { unknownCaller } from "@/lib/sessions/audit";
import { sessionCookieName } from "@/lib/sessions/cookie";
import { createSession } from "@/lib/sessions/create-session";
import { createApi } from "./app";

let realm: Realm;
beforeAll(async () => {
  realm = await aRealm();
});
afterAll(() => realm.close());

async function cookieOf(username: string, browser?: Browser): Promise<string> {
  const name = sessionCookieName();
  const envelope = await createSession(await realm.tokensFor(username, "web", browser), unknownCaller());
  return `${name}=${await encode({ token: { ...envelope }, secret: env().AUTH_SECRET, salt: name })}`;
}

const api = createApi();
const get = (path: string, cookie?: string) => api.request(`/api/owner-grant${path}`, { headers: cookie ? { cookie } : {} });
const grantCookie = (response: Response) => response.headers.getSetCookie().find((line) => line.startsWith("sluice.grant.") && !/Max-Age=0/i.test(line));

describe("giving machine access in the browser", () => {
  it("leads through Keycloak and back to where it started", async () => {
    const browser = new Browser();
    const session = await cookieOf("ada", browser);
    const start = await get("/start?returnTo=/keys", session);
    expect(start.status).toBe(302);
    const flow = grantCookie(start) ?? "";
    expect(flow).toMatch(/HttpOnly/);
    expect(flow).toMatch(/SameSite=Lax/);
    const asked = new URL(start.headers.get("location") ?? "");
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({ client_id: "sluice-machine", scope: "openid offline_access", max_age: "300", code_challenge_method: "S256" });
    const back = await realm.follow(asked.href, { username: "ada", browser });
    const end = await get(`/callback${back.search}`, `${session}; ${flow.split(";")[0]}`);
    expect(end.headers.get("location")).toBe(`${env().AUTH_URL}/keys?grant=given`);
    const replayed = await get(`/callback${back.search}`, `${session}; ${flow.split(";")[0]}`);
    expect(replayed.headers.get("location")).toBe(`${env().AUTH_URL}/machine-access?grant=failed`);
  });

  it("goes through in two tabs at the same time, each back to its own page", async () => {
    const session = await cookieOf("ada");
    const starts = [await get("/start?returnTo=/keys", session), await get("/start?returnTo=/usage", session)];
    const jar = [session, ...starts.map((start) => grantCookie(start)?.split(";")[0])].join("; ");
    const ends: (string | null)[] = [];
    for (const start of starts) {
      const back = await realm.follow(start.headers.get("location") ?? "", { username: "ada" });
      ends.push((await get(`/callback${back.search}`, jar)).headers.get("location"));
    }
    expect(ends).toEqual([`${env().AUTH_URL}/keys?grant=given`, `${env().AUTH_URL}/usage?grant=given`]);
  });

  it("is open at most six times in a browser", async () => {
    const session = await cookieOf("ada");
    const open: string[] = [];
    for (let i = 0; i < 6; i++) open.push(grantCookie(await get("/start", session))?.split(";")[0] ?? "");
    const ended = (await get("/start", [session, ...open].join("; "))).headers.getSetCookie().filter((line) => /Max-Age=0/i.test(line));
    expect(ended.map((line) => line.split("=")[0])).toEqual([open[0]?.split("=")[0]]);
  });

  it("does not count in another session", async () => {
    const start = await get("/start", await cookieOf("ada"));
    const flow = grantCookie(start)?.split(";")[0];
    const back = await realm.follow(start.headers.get("location") ?? "", { username: "ada" });
    const end = await get(`/callback${back.search}`, `${await cookieOf("uma")}; ${flow}`);
    expect(end.headers.get("location")).toBe(`${env().AUTH_URL}/machine-access?grant=failed`);
  });

  it("sends strangers to sign in, and people without a role to the page that says whom to ask", async () => {
    expect((await get("/start?returnTo=/keys")).headers.get("location")).toBe(`${env().AUTH_URL}/sign-in?returnTo=%2Fkeys`);
    expect((await get("/start", await cookieOf("nel"))).headers.get("location")).toBe(`${env().AUTH_URL}/no-access`);
    setEnv({ ...env(), AUTH_URL: "https://portal.test" });
    expect((await get("/callback?code=x&state=y")).headers.get("location")).toBe("https://portal.test/sign-in?returnTo=%2Fmachine-access");
    setEnv(undefined);
  });
});
