import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { freePort, removePostgresData } from "../../dev/lib/postgres";
import { startSeededStack } from "../../dev/seeded-stack";
import type { Cores } from "../method/pinning";
import { benchFlows } from "../peers/flows";
import { type Started, startProcess } from "./start-process";

/** Where measurements happen: stores, stand-ins and a stub engine, and what starts servers on them. */
export type Site = {
  db: pg.Client;
  redisUrl: string;
  engineUrl: string;
  /** Settings of a web process here. */
  env: Record<string, string>;
  owner: { userId: string; tenantId: string; username: string; password: string };
  /** Our product, on the core under measurement. */
  startOurs(options?: { env?: Record<string, string>; nodeArgs?: string[] }): Promise<Started>;
  startPeer(name: string, env?: Record<string, string>, part?: keyof Cores): Promise<Started>;
  folder: string;
  /** For what a row has started that its profile run still needs. */
  atEnd(stop: () => Promise<void>): void;
  stop(): Promise<void>;
};

/** Every limit is on, and none is reached. */
const wide = { USER_RATE_LIMIT: "9999999/3600", TENANT_RATE_LIMIT: "9999999/3600", AUTH_FAILURE_LIMIT: "9999999/60" };

export async function startSite(say: (line: string) => void): Promise<Site> {
  const folder = mkdtempSync("/var/tmp/sluice-bench-");
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop().catch(() => undefined);
    removePostgresData(join(folder, "data", "postgres"));
    rmSync(folder, { recursive: true, force: true });
  };
  const startPeer = async (name: string, env: Record<string, string> = {}, part: keyof Cores = "server") => {
    const port = await freePort();
    return remembered(await startProcess({ args: ["--import", "tsx", `bench/peers/${name}.ts`], env: { ...env, PEER_PORT: String(port) }, port, part, logFile: join(folder, `${name}.log`) }));
  };
  const remembered = <T extends { stop(): Promise<void> }>(part: T): T => {
    started.push(part);
    return part;
  };
  try {
    const engine = await startPeer("stub-engine", {}, "stores");
    const { stack, demo } = await startSeededStack({
      dataDir: join(folder, "data"), port: await freePort(), throwaway: true, say, env: wide,
      real: { flowise: async () => ({ url: engine.url, serviceKey: "bench-service-key", stop: async () => undefined }) },
    });
    remembered(stack);
    const db = new pg.Client({ connectionString: stack.databaseUrl });
    await db.connect();
    remembered({ stop: () => db.end() });
    const { username = "", password = "" } = demo.users.find((user) => user.username === "uma") ?? {};
    await openTheWay(db, username);
    await giveGrant(stack.url, { username, password });
    const { rows: [owner] } = await db.query<{ userId: string; tenantId: string }>('SELECT id AS "userId", "tenantId" FROM "User" WHERE username = $1', [username]);
    if (!owner) throw new Error(`${username} is not there`);
    // It was needed to fill the stores; what is measured is started by itself.
    await stack.web.stop();
    const env = stack.web.env;
    const startOurs: Site["startOurs"] = async (options = {}) => {
      const port = await freePort();
      return remembered(await startProcess({
        args: [...(options.nodeArgs ?? []), "--enable-source-maps", "dist/server.mjs"], port, part: "server", logFile: join(folder, "ours.log"),
        env: { ...env, SERVER_MODE: "api", HOST: "127.0.0.1", PORT: String(port), ...options.env },
      }));
    };
    return { db, redisUrl: stack.redisUrl, engineUrl: engine.url, env, owner: { ...owner, username, password }, startOurs, startPeer, folder, atEnd: (end) => void remembered({ stop: end }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Flows with their prices, assigned to the owner, whose account does not run dry. */
async function openTheWay(db: pg.Client, username: string): Promise<void> {
  await db.query('UPDATE "Plan" SET "monthlyCredits" = 2000000000');
  for (const { id, costCredits } of benchFlows) {
    await db.query('UPDATE "Chatflow" SET "costCredits" = $2 WHERE "flowiseId" = $1', [id, costCredits]);
    await db.query(`INSERT INTO "ChatflowAssignment" (id, "tenantId", "userId", "chatflowId", "assignedBy") SELECT gen_random_uuid(), u."tenantId", u.id, c.id, 'bench' FROM "User" u, "Chatflow" c WHERE u.username = $1 AND c."flowiseId" = $2`, [username, id]);
  }
}

/** A sign-in by password leaves the owner's grant behind, with which keys then act. */
async function giveGrant(url: string, person: { username: string; password: string }): Promise<void> {
  const answer = await fetch(`${url}/api/v1/chat/authenticate`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(person) });
  if (!answer.ok) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`);
}
