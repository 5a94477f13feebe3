import type { Redis } from "ioredis";
import { decodeJwt } from "jose";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { type LogoutMark, readLogoutMark, wasLogoutHeard } from "@/lib/platform/logout-mark";
import { queueName, queuePrefix } from "@/lib/platform/queue";
import { connectTo } from "@/lib/platform/redis-connect";
import { type Area, Blocked, failed, notApplicable, once, passed, type Verdict } from "../check";
import type { Doctor } from "../doctor";
import { type Answer, basic, call } from "../http";
import type { ByPassword } from "../password";
import type { Discovery } from "./issuer";

type Discover = (signal: AbortSignal) => Promise<Discovery>;
const Tokens = z.object({ access_token: z.string(), refresh_token: z.string() });
const Service = z.object({ access_token: z.string() });
const Clients = z.array(z.object({ clientId: z.string(), attributes: z.record(z.string(), z.string()).default({}) }));
const setup = "npm run keycloak:setup";
/** Keycloak gives each client 5 s; the portal's mark is there before its answer. */
const markDeadlineMs = 2000;

/** Whether Keycloak's word of a sign-out reaches the portal: seen by a real one where that is possible, else by what came before. */
export function signOutsArea(doctor: Doctor, discovery: Discover, byPassword: ByPassword | null): Area {
  const { env } = doctor;
  const url = `${env.AUTH_URL}/api/auth/backchannel-logout`;
  const client = connectTo(env.REDIS_URL, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, connectTimeout: 3000, commandTimeout: 2000, retryStrategy: () => null, sentinelRetryStrategy: () => null });
  client.on("error", () => undefined);
  const store = once("Redis", async () => {
    await client.connect().catch(() => { throw new Blocked("needs Redis, see there"); });
    // A portal that runs keeps its schedule there. In another Redis its word would be looked for in vain.
    if (!(await client.exists(`${queuePrefix}:${queueName}:meta`))) throw new Blocked("the Redis at REDIS_URL is not the one that a running portal uses, and its word is kept there");
    return client;
  });
  return {
    name: "sign-outs",
    close: async () => client.disconnect(),
    checks: [
      { name: "Keycloak sends them to us", cure: `see that Keycloak's admin API answers from here`, run: async (signal) => judgeClient(await readClient(doctor, discovery, signal), env.KEYCLOAK_CLIENT_ID, url) },
      { name: "Keycloak reaches us", cure: "see that Keycloak answers at the addresses of its discovery document from here", run: async (signal) => reaches(url, discovery, byPassword, store, signal) },
    ],
  };
}

/** What the realm says of the web client; null where our service account may not see clients, as it need not. */
async function readClient({ env, sync }: Doctor, discovery: Discover, signal: AbortSignal): Promise<Answer | null> {
  if (!sync) return null;
  const granted = Service.safeParse((await call((await discovery(signal)).token_endpoint, { signal, method: "POST", headers: basic(sync), form: { grant_type: "client_credentials" } })).json);
  if (!granted.success) throw new Blocked(`needs ${sync.id} to authenticate, see above`);
  const at = env.KEYCLOAK_ISSUER.replace(/\/realms\/([^/]+)$/, "/admin/realms/$1");
  return call(`${at}/clients?${new URLSearchParams({ clientId: env.KEYCLOAK_CLIENT_ID })}`, { signal, headers: { authorization: `Bearer ${granted.data.access_token}` } });
}

export function judgeClient(answer: Pick<Answer, "status" | "json"> | null, clientId: string, url: string): Verdict {
  const unseen = `our service account may not see clients, which is as it should be; ${setup} sets ${url} there`;
  if (!answer || answer.status === 403 || answer.status === 404) return notApplicable(unseen);
  const found = Clients.safeParse(answer.json).data?.find((one) => one.clientId === clientId);
  if (!found) return notApplicable(unseen);
  const { "backchannel.logout.url": set, "backchannel.logout.session.required": byName } = found.attributes;
  if (set !== url) return failed(set ? `they go to ${set}` : "they go nowhere", `set the back-channel logout URL of ${clientId} to ${url}: ${setup}`);
  if (byName !== "true") return failed("they do not name the session", `switch "Backchannel logout session required" of ${clientId} on: without it one sign-out ends all of a person's sessions`);
  return passed(url);
}

/** Signs somebody in by password and out again: Keycloak tells the client for passwords, at the same address as the others. */
async function reaches(url: string, discovery: Discover, byPassword: ByPassword | null, store: () => Promise<Redis>, signal: AbortSignal): Promise<Verdict> {
  const redis = await store();
  if (!byPassword) return judgeEarlier(await readLogoutMark(redis, "web"), Date.now());
  const { client, signIn } = byPassword;
  const tokens = Tokens.safeParse((await signIn("openid", signal)).json);
  if (!tokens.success) throw new Blocked("needs the sign-in by password, see above");
  const sid = z.string().safeParse(decodeJwt(tokens.data.access_token).sid).data;
  if (!sid) throw new Blocked("needs the claim sid in tokens: Keycloak's client scope basic gives it");
  const { end_session_endpoint } = await discovery(signal);
  const ended = await call(end_session_endpoint, { signal, method: "POST", headers: basic(client), form: { refresh_token: tokens.data.refresh_token } });
  if (ended.status !== 204 && ended.status !== 200) return failed(`Keycloak's sign-out answers ${ended.status}`, `see that ${client.id} may sign out at ${end_session_endpoint}`);
  for (const deadline = Date.now() + markDeadlineMs; Date.now() < deadline; await pause(50)) {
    if (await wasLogoutHeard(redis, sid)) return passed(`a sign-out there arrived at ${url}`, url.startsWith("https:") ? undefined : "on this machine; see that the address fits where Keycloak runs");
  }
  return failed("a sign-out at Keycloak never arrived", `see that Keycloak's host reaches ${url} (name, port, certificate), that it is the back-channel logout URL of its clients (${setup}), and look for refused tokens in the portal's log`);
}

export function judgeEarlier(mark: LogoutMark | null, nowMs: number): Verdict {
  if (!mark) return notApplicable("nothing has arrived yet. Sign in and out once in a browser and ask again; with PASSWORD_GRANT_ENABLED, DOCTOR_USERNAME and DOCTOR_PASSWORD it is tried at once");
  const hours = Math.floor((nowMs - mark.at) / 3_600_000);
  const ago = hours < 1 ? "within the last hour" : hours < 48 ? `${hours} hours ago` : `${Math.floor(hours / 24)} days ago`;
  return passed(`the last one arrived ${ago}`, hours >= 24 * 7 ? "that is long ago: sign in and out once in a browser and ask again" : undefined);
}
