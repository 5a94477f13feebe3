import { randomUUID } from "node:crypto";
import { encode } from "@auth/core/jwt";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { createKey, limitFailures } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { randomToken } from "@/lib/platform/crypto";
import { env, setEnv } from "@/lib/platform/env";
import { redis } from "@/lib/platform/redis";
import { sessionCookieName } from "@/lib/sessions/cookie";
import { authenticate } from "@/lib/tokens";
import { type Credentials, identify } from "./identify";

const base = env();
beforeEach(() => setEnv({ ...base, AUTH_FAILURE_LIMIT: { requests: 3, window: 60 } }));
afterEach(() => { setEnv(base); resetClock(); vi.restoreAllMocks(); });

/** Of the documentation's networks, and never the same twice: other tests count failures too. */
const anAddress = () => `2001:db8:${randomUUID().slice(0, 4)}:${randomUUID().slice(0, 4)}::1`;
const ask = (token: string, ip: string) => askWith({ authorization: `Bearer ${token}` }, ip);
const askWith = (brought: Partial<Credentials>, ip: string) => identify({ apiKey: null, authorization: null, cookie: null, origin: null, safe: true, referer: null, ...brought }, { requestId: "r", ip, userAgent: null })
  .then(() => "ok", (error: { code: string; options: { retryAfterSeconds?: number } }) => error.code);
const broken = (token: string, n: number) => `${token.slice(0, -10)}${String(n).repeat(10)}`;

async function aToken(): Promise<string> {
  const { secret } = await createKey(contextOf(await aPerson()), CreateKeyInput.parse({ name: "k" }));
  return (await authenticate({ requestId: "r", ip: null, userAgent: null }, { api_key: secret })).access_token;
}

it("past the limit no signature of a stranger's token is verified, and one that was good before goes on", async () => {
  const [token, ip] = [await aToken(), anAddress()];
  expect(await ask(token, ip)).toBe("ok");
  for (let i = 0; i < 3; i++) expect(await ask(broken(token, i), ip)).toBe("invalid_credentials");
  expect(await ask(broken(token, 3), ip)).toBe("rate_limited");

  const verify = vi.spyOn(globalThis.crypto.subtle, "verify");
  for (let i = 4; i < 9; i++) expect(await ask(broken(token, i), ip)).toBe("rate_limited");
  expect(verify).not.toHaveBeenCalled();
  expect(await ask(token, ip)).toBe("ok");
  expect(verify).toHaveBeenCalledTimes(1);
  expect(await ask(broken(token, 9), anAddress())).toBe("invalid_credentials");
});

it("when Retry-After is over the address is listened to again", async () => {
  const [token, ip] = [await aToken(), anAddress()];
  for (let i = 0; i < 4; i++) await ask(broken(token, i), ip);
  const verify = vi.spyOn(globalThis.crypto.subtle, "verify");
  moveClock(45_000);
  expect([await ask(broken(token, 5), ip), verify.mock.calls.length]).toEqual(["rate_limited", 0]);
  moveClock(20_000);
  // The count is Redis's, whose clock has not moved: but it was asked.
  await ask(broken(token, 6), ip);
  expect(verify).toHaveBeenCalledTimes(1);
});

it("a header that is no bearer and a key that is none count against their address like any failure, the latter without a word to Redis", async () => {
  const [strange, malformed] = [anAddress(), anAddress()];
  for (let i = 0; i < 3; i++) expect(await askWith({ authorization: "Basic dXNlcjpwYXNz" }, strange)).toBe("invalid_credentials");
  expect(await askWith({ authorization: "Basic dXNlcjpwYXNz" }, strange)).toBe("rate_limited");

  const send = vi.spyOn(redis(), "sendCommand");
  for (let i = 0; i < 3; i++) expect(await askWith({ apiKey: `nonsense-${i}` }, malformed)).toBe("invalid_credentials");
  expect(await askWith({ apiKey: "nonsense" }, malformed)).toBe("rate_limited");
  expect(send).not.toHaveBeenCalled();
});

it("pages that go on asking with an ended session are stopped, and shut nobody else at their address out", async () => {
  const ip = anAddress();
  const name = sessionCookieName();
  const cookie = `${name}=${await encode({ token: { h: randomToken(), k: randomToken(), v: 1 }, secret: env().AUTH_SECRET, salt: name })}`;
  for (let i = 0; i < 3; i++) expect(await askWith({ cookie }, ip)).toBe("session_expired");
  expect(await askWith({ cookie }, ip)).toBe("rate_limited");
  await limitFailures(ip);
  expect(await askWith({ apiKey: "nonsense" }, ip)).toBe("invalid_credentials");
});
