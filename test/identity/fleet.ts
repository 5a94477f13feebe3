import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll } from "vitest";
import { Browser, call, control, demo, doors, signIn, tokensOf } from "../http/client";
import { type Replica, startReplica } from "../http/replica";

export { withStandIn } from "../http/client";

/** Whether a real Keycloak stands behind the proxy: then the long forms run, and Keycloak's own events count. */
export const isReal = (process.env.SLUICE_REAL ?? "").includes("keycloak");

/** How Keycloak may treat a refresh token that was used: the three settings under which everything must hold. */
export const rotations = [
  { name: "rotation off", settings: { revokeRefreshToken: false, refreshTokenMaxReuse: 0 }, forgives: true },
  { name: "rotation on, one reuse forgiven", settings: { revokeRefreshToken: true, refreshTokenMaxReuse: 1 }, forgives: true },
  { name: "rotation on, no reuse forgiven", settings: { revokeRefreshToken: true, refreshTokenMaxReuse: 0 }, forgives: false },
] as const;

/** For what the setting should make no difference to: all of them in the long form, the first in the short one. */
export const rotationsInTurn = isReal ? rotations : rotations.slice(0, 1);

export type Fleet = {
  members: Replica[];
  /** The member whose turn it is: calls spread over all of them. */
  at(i: number): Replica;
  kill(member: Replica): Promise<void>;
  /** One more, in place of one that was killed or stopped; `env` on top of the fleet's own. */
  replace(member: Replica, env?: Record<string, string>): Promise<Replica>;
  /** Lines that any of them logged, of at least this level (30 info, 40 warn, 50 error). */
  logged(levelMin: number): { level: number; msg: string; err?: { message?: string } }[];
  stop(): Promise<void>;
};

/** Full server processes on the stack's stores, as replicas behind a load balancer would be: three, with the API alone unless `env` says otherwise. */
export async function startFleet(options: { count?: number; env?: Record<string, string> } = {}): Promise<Fleet> {
  const start = (env: Record<string, string> = {}) => startReplica({ LOG_LEVEL: "info", ...options.env, ...env });
  const members = await Promise.all(Array.from({ length: options.count ?? 3 }, () => start()));
  const all = [...members];
  return {
    members,
    at: (i) => members[i % members.length] as Replica,
    async kill(member) {
      const gone = new Promise((done) => member.child.once("exit", done));
      member.signal("SIGKILL");
      await gone;
    },
    async replace(member, env) {
      const next = await start(env);
      members.splice(members.indexOf(member), 1, next);
      all.push(next);
      return next;
    },
    logged: (levelMin) => all.flatMap(({ log }) => log().split("\n").filter(Boolean).map((line) => JSON.parse(line) as ReturnType<Fleet["logged"]>[number])).filter(({ level }) => level >= levelMin),
    // One that a test left paused would not hear a polite word.
    stop: async () => void (await Promise.all(all.map((member) => { member.signal("SIGCONT"); return member.stop(); }))),
  };
}

const redis = new Redis(demo.redisUrl);
afterAll(() => redis.disconnect());
/** The stack's own Redis, to look into and to disturb. */
export const store = redis;

export type Session = {
  browser: Browser;
  cookie: string;
  /** Names its record in the store. */
  id: string;
  /** Of the readable half: `gen`, `state`, `dead_reason`, … */
  meta(field: string): Promise<string | null>;
};

/** Signs in, and tells which record that made. */
export async function aSession(username = "uma"): Promise<Session> {
  const before = new Set(await store.keys("sl:s:{*}:m"));
  const browser = await signIn(username);
  const [key, more] = (await store.keys("sl:s:{*}:m")).filter((one) => !before.has(one));
  if (!key || more) throw new Error(`signing in made ${key ? "several records" : "no record"}`);
  return { browser, cookie: browser.cookies(demo.url), id: /\{(.*)\}/.exec(key)?.[1] ?? "", meta: (field) => store.hget(key, field) };
}

/** A session whose access token is over, as we see it; whatever is fetched next lasts as usual. */
export async function anExpiredSession(username = "uma"): Promise<Session> {
  await control("identity", { tokenExpiresIn: 0 });
  const session = await aSession(username);
  await control("identity", { tokenExpiresIn: null });
  return session;
}

export type Owner = {
  /** A key of theirs. No browser is signed in as them. */
  key: string;
  userId: string;
  /** Forgets the tokens that were fetched with their grant, as if they were over: the next call has to fetch others. */
  cool(): Promise<void>;
  status(): Promise<string>;
  /** What they find among their events under this action, oldest first. */
  told(action: string): Promise<{ data: { reason?: string } }[]>;
};

/** Somebody new, whose grant is their first: giving it anew would end the one before, and a job would look at what Keycloak says of that. */
export async function anOwner(): Promise<Owner> {
  const username = `owner${randomUUID().slice(0, 8)}`;
  await control("identity", { createUsers: { [username]: ["user"] } });
  const { access_token: bearer } = await tokensOf(username);
  const made = await call(doors.own, "POST", "/api/v1/auth/api-keys", { bearer, body: { name: "theirs", permissions: ["nflow:read"] } });
  if (made.status !== 201) throw new Error(`key for ${username}: ${made.status} ${made.text}`);
  const ask = async (path: string) => (await call(doors.own, "GET", path, { bearer })).json.data;
  const { id: userId } = await ask("/api/v1/auth/me");
  return {
    key: made.json.data.key, userId,
    cool: async () => void (await store.del(["self", "nflow", "flowise"].map((kind) => `sl:g:{${userId}}:t:${kind}`))),
    status: async () => (await ask("/api/v1/grant")).status,
    told: async (action) => (await ask(`/api/v1/audit?action=${action}`)).reverse(),
  };
}

/** Takes a session along to another Redis, so that this one may be harmed, or filled by processes with other settings. */
export async function copyTo(target: Redis, session: Session): Promise<void> {
  for (const name of await store.keys(`sl:s:{${session.id}}:*`)) {
    const value = await store.dumpBuffer(name);
    if (value) await target.restore(name, Math.max(1, await store.pttl(name)), value, "REPLACE");
  }
}

/** A call that needs the person's token at NFlow, and may be repeated. */
export const search = (base: string | Replica, who: { cookie: string } | { key: string }) =>
  call(typeof base === "string" ? base : base.url, "POST", "/api/v1/nflow/builder/apps/search", { ...who, headers: { origin: demo.url }, body: {} });

/** Between the calls of a loop that goes on for a time: without a break it would use up the hour's limit of a key, or of the person in all tests that follow. */
export const pace = () => pause(50);

/** What came of each call: `200`, or the status with its code. */
export const answers = (results: { status: number; json: { code?: string } | null }[]) => results.map(({ status, json }) => (status === 200 ? "200" : `${status} ${json?.code ?? ""}`));
