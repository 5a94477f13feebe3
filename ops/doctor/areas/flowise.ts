import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Env } from "@/lib/platform/env";
import { type Area, type Check, failed, notApplicable, once, passed, type Verdict } from "../check";
import { type Answer, call } from "../http";
import { isPrivate } from "../where";

const unreachable = "see that FLOWISE_URL is right (without /api/v1) and reachable from here";
/** The version that our contract with Flowise was written from. */
const knownVersion = "3.1.4";
/** How many chatflows are looked at: a list carries every flow in full. */
const looked = 50;
/** A token in shape alone: whoever checks tokens refuses it, whoever does not never looks at it. */
const noToken = `Bearer ${["eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJkb2N0b3IifQ", "AAAA"].join(".")}`;

export function flowiseArea(env: Env): Area {
  const api = `${env.FLOWISE_URL}/api/v1`;
  const ping = once("an answer", () => call(`${api}/ping`, { signal: AbortSignal.timeout(5000) }));
  // A chatflow that never was: nothing runs, and what comes back tells whether anybody asked who we are.
  const predict = async (signal: AbortSignal, headers: Record<string, string>) => (await ping(), call(`${api}/prediction/${randomUUID()}`, { signal, method: "POST", headers, json: { question: "" } }));
  const check = (name: string, run: Check["run"]): Check => ({ name, cure: unreachable, run });
  return {
    name: "Flowise",
    checks: [
      check("answers", async () => judgePing(await ping())),
      check("version", async (signal) => judgeVersion((await ping(), await call(`${api}/version`, { signal })).json)),
      check("key", async (signal) => {
        if (!env.FLOWISE_API_KEY) return judgeNoKey(env);
        await ping();
        return judgeKey(await call(`${api}/chatflows?page=1&limit=1`, { signal, headers: { authorization: `Bearer ${env.FLOWISE_API_KEY}` } }));
      }),
      check("chatflows that are bound to a key", async (signal) => {
        if (!env.FLOWISE_API_KEY) return notApplicable("cannot be seen without FLOWISE_API_KEY");
        await ping();
        return judgeBound((await call(`${api}/chatflows?page=1&limit=${looked}`, { signal, headers: { authorization: `Bearer ${env.FLOWISE_API_KEY}` } })).json, env.FLOWISE_AUTH);
      }),
      check("predictions", async (signal) => judgePredictions({
        mode: env.FLOWISE_AUTH, anonymous: (await predict(signal, {})).status, badToken: (await predict(signal, { authorization: noToken })).status,
        isPrivate: await isPrivate(new URL(env.FLOWISE_URL).hostname),
      })),
      check("HTTP_SECURITY_CHECK", async () => notApplicable("cannot be seen from outside: leave it on, so that a chatflow cannot call addresses of the inner network")),
    ],
  };
}

function judgePing(answer: Answer): Verdict {
  return answer.status === 200 && answer.text.trim() === "pong" ? passed("pong") : failed(`/api/v1/ping answers ${answer.status}`, unreachable);
}

export function judgeVersion(json: unknown): Verdict {
  const version = z.object({ version: z.string() }).safeParse(json).data?.version;
  if (!version) return failed("it does not tell its version", unreachable);
  const line = (v: string) => v.split(".").slice(0, 2).join(".");
  return passed(version, line(version) === line(knownVersion) ? undefined : `what we know of Flowise we know of ${knownVersion}`);
}

function judgeNoKey(env: Env): Verdict {
  if (!env.ENABLE_CHATFLOW_SYNC) return notApplicable("no FLOWISE_API_KEY, and none is needed: ENABLE_CHATFLOW_SYNC=false");
  return failed("no FLOWISE_API_KEY is set", "make a key with chatflows:view in Flowise and set it, or set ENABLE_CHATFLOW_SYNC=false: the sync cannot list chatflows without");
}

export function judgeKey(answer: Pick<Answer, "status" | "json">): Verdict {
  if (answer.status === 401) return failed("Flowise does not know this key", "copy the key's text (API Keys in Flowise) to FLOWISE_API_KEY");
  if (answer.status === 403) return failed("this key may not list chatflows", "give the key the permission chatflows:view");
  const page = z.object({ total: z.number() }).safeParse(answer.json);
  if (answer.status !== 200 || !(page.success || Array.isArray(answer.json))) return failed(`answers ${answer.status} with something that is no list`, unreachable);
  return passed(page.success ? `lists ${page.data.total} chatflows` : "lists chatflows");
}

const Chatflows = z.object({ data: z.array(z.object({ name: z.string(), apikeyid: z.string().nullish() })) });

/** Flowise takes a bound chatflow's predictions with that very key alone, and its refusal looks like a failure (contract, facts 2 and 3). */
export function judgeBound(json: unknown, mode: Env["FLOWISE_AUTH"]): Verdict {
  const page = Chatflows.safeParse(json);
  if (!page.success) return notApplicable("the list cannot be read, see above");
  const bound = page.data.data.filter((flow) => flow.apikeyid);
  if (bound.length === 0) return passed(page.data.data.length < looked ? "none" : `none of the latest ${looked}`);
  const names = bound.slice(0, 5).map((flow) => flow.name).join(", ");
  return passed(`${bound.length}: ${names}`, mode === "service-key" ? "they answer us only if their key is FLOWISE_API_KEY" : "they refuse everybody, since predictions carry a person's token: unbind them in Flowise, or do not assign them");
}

type Predictions = { mode: Env["FLOWISE_AUTH"]; anonymous: number; badToken: number; isPrivate: boolean };

/** Flowise answers predictions without a key unless DENYLIST_URLS or a proxy in front says otherwise (contract, sections 3 and 9). */
export function judgePredictions({ mode, anonymous, badToken, isPrivate }: Predictions): Verdict {
  const refused = (status: number) => status === 401 || status === 403;
  const denylist = "DENYLIST_URLS=/api/v1/prediction/ (and the other public paths)";
  if (refused(anonymous)) return passed("whoever brings nothing is refused");
  if (!isPrivate) return failed("anybody on the internet can run chatflows whose id they know", `put Flowise on a private network, or behind something that checks tokens; with FLOWISE_AUTH=service-key start it with ${denylist}`);
  if (mode === "service-key") return passed("open to its private network", `start Flowise with ${denylist}, so that only our key opens it`);
  if (refused(badToken)) return passed("tokens are checked", "whoever brings none still gets in: keep the network closed");
  return passed("open to its private network, as expected with FLOWISE_AUTH=user-token", "nobody checks the tokens that we send: keep the network closed, or put something in front that checks them");
}
