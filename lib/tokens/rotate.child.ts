// A server process as far as signing keys go, for the test that runs two of them beside each other on a database of their own.
import { randomUUID } from "node:crypto";
import { jobContext } from "@/lib/access";
import { moveClock } from "@/lib/platform/clock";
import { env } from "@/lib/platform/env";
import { signJwt, verifyJwt } from "@/lib/platform/signing-keys";
import { cleanUpTokens, keySet, rotateSigningKeyNow, rotateSigningKeyWhenDue } from ".";

const typ = "at+jwt";
const verbs = {
  sign: () => signJwt({ aud: env().AUTH_URL, sub: "x" }, { typ, expiresInSeconds: 900 }),
  verify: (jwt: string) => verifyJwt(jwt, { typ, audience: env().AUTH_URL }).then(() => "ok", (error: { code?: string }) => error.code ?? String(error)),
  keys: async () => (await keySet()).keys.map(({ kid }) => kid).join(" "),
  rotate: async () => (await rotateSigningKeyNow(jobContext("test", randomUUID()))).kid,
  distrust: async () => (await rotateSigningKeyNow(jobContext("test", randomUUID()), { distrust: true })).kid,
  due: async () => { await rotateSigningKeyWhenDue(); return "ok"; },
  cleanUp: async () => String(await cleanUpTokens()),
  forward: (seconds: string) => { moveClock(Number(seconds) * 1000); return Promise.resolve("ok"); },
};
export type Ask = { id: number; verb: keyof typeof verbs; text?: string };
export type Told = { id: number; told: string };

process.on("message", ({ id, verb, text = "" }: Ask) => void verbs[verb](text).catch((error: unknown) => `failed: ${String(error)}`).then((told) => process.send?.({ id, told } satisfies Told)));
process.on("disconnect", () => process.exit(0));
process.send?.({ id: 0, told: "ready" } satisfies Told);
