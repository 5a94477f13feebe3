import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { freePort } from "../../lib/postgres";
import { stopChild } from "../../lib/process";
import { realFlows } from "./flows";
import { flowiseVersion, installFlowise } from "./install";
import { startModel } from "./model";

export type RealFlowise = { url: string; version: string; /** May read flows and keys. */ serviceKey: string; /** Of the flow that is bound. */ boundKey: string; stop(): Promise<void> };

/** Where its tables may be made: an empty database on this server is created for it. */
type Database = { adminUrl: string; name: string };

/** A real Flowise with the demo's flows; its files in `dataDir`. */
export async function startRealFlowise(options: { dataDir: string; database: Database; say(line: string): void }): Promise<RealFlowise> {
  const home = await installFlowise(options.say);
  const model = await startModel();
  const database = await createDatabase(options.database);
  options.say(`starting Flowise ${flowiseVersion}`);
  const { url, stop } = await launch(home, options.dataDir, database);
  try {
    const admin = await firstUser(url);
    const serviceKey = await newKey(url, admin, "gateway", ["chatflows:view", "agentflows:view", "apikeys:view"]);
    const boundKey = await newKey(url, admin, "bound", ["chatflows:view"]);
    await importFlows(url, admin, { modelUrl: model.url, boundKeyId: boundKey.id, databaseUrl: database.href });
    return { url, version: flowiseVersion, serviceKey: serviceKey.apiKey, boundKey: boundKey.apiKey, stop: async () => { await stop(); await model.close(); } };
  } catch (error) {
    await stop();
    await model.close();
    throw error;
  }
}

async function createDatabase({ adminUrl, name }: Database): Promise<URL> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`).finally(() => client.end());
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url;
}

async function launch(home: string, dataDir: string, database: URL): Promise<{ url: string; stop(): Promise<void> }> {
  mkdirSync(dataDir, { recursive: true });
  const port = await freePort();
  const logFile = join(dataDir, "flowise.log");
  const child = spawn(process.execPath, ["node_modules/flowise/bin/run", "start"], {
    cwd: home, stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH ?? "", HOME: dataDir, HOST: "127.0.0.1", PORT: String(port), NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "tiktoken.mjs")).href}`,
      DATABASE_TYPE: "postgres", DATABASE_HOST: database.hostname, DATABASE_PORT: database.port, DATABASE_USER: decodeURIComponent(database.username), DATABASE_PASSWORD: decodeURIComponent(database.password), DATABASE_NAME: database.pathname.slice(1),
      SECRETKEY_PATH: dataDir, LOG_PATH: join(dataDir, "logs"), BLOB_STORAGE_PATH: join(dataDir, "storage"), DISABLE_FLOWISE_TELEMETRY: "true", APP_URL: `http://127.0.0.1:${port}`,
      // The stub model is on loopback, which models may not reach otherwise. Plain http needs cookies without Secure.
      HTTP_SECURITY_CHECK: "false", SECURE_COOKIES: "false",
    } as unknown as NodeJS.ProcessEnv,
  });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const orphaned = () => child.kill("SIGKILL");
  process.once("exit", orphaned);
  const stop = async () => {
    process.off("exit", orphaned);
    await stopChild(child);
  };
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + 180_000; ; ) {
    const last = () => readFileSync(logFile, "utf8").split("\n").slice(-15).join("\n");
    if (child.exitCode !== null) throw new Error(`Flowise ended while starting:\n${last()}`);
    const pong = await fetch(`${url}/api/v1/ping`).then((r) => r.text(), () => "");
    if (pong === "pong") return { url, stop };
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`Flowise was not ready within 180 s:\n${last()}`);
    }
    await new Promise((done) => setTimeout(done, 250));
  }
}

async function call<T>(url: string, method: string, path: string, options: { headers?: Record<string, string>; body?: unknown }): Promise<{ json: T; cookies: string }> {
  const answer = await fetch(`${url}/api/v1${path}`, { method, headers: { ...options.headers, ...(options.body !== undefined && { "content-type": "application/json" }) }, body: options.body === undefined ? undefined : JSON.stringify(options.body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Flowise: ${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
  return { json: JSON.parse(text) as T, cookies: answer.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0]).join("; ") };
}

/** @returns the headers of somebody who may do everything. */
async function firstUser(url: string): Promise<Record<string, string>> {
  const person = { email: "owner@example.test", password: `Test-${randomBytes(6).toString("hex")}!A` };
  await call(url, "POST", "/account/register", { body: { user: { name: "Owner", email: person.email, credential: person.password } } });
  const { cookies } = await call(url, "POST", "/auth/login", { body: person });
  return { cookie: cookies, "x-request-from": "internal" };
}

type Key = { id: string; apiKey: string; keyName: string };

async function newKey(url: string, admin: Record<string, string>, keyName: string, permissions: string[]): Promise<Key> {
  const { json } = await call<Key[]>(url, "POST", "/apikey", { headers: admin, body: { keyName, permissions } });
  // The answer lists all keys, the new one not always last.
  const made = json.find((key) => key.keyName === keyName);
  if (!made) throw new Error("Flowise: the new key is not in its list");
  return made;
}

/** Flowise chooses the ids of flows itself; ours are put in their place, so that seed and tests fit both. */
async function importFlows(url: string, admin: Record<string, string>, parts: { modelUrl: string; boundKeyId: string; databaseUrl: string }): Promise<void> {
  const credential = await call<{ id: string }>(url, "POST", "/credentials", { headers: admin, body: { name: "stub", credentialName: "openAIApi", plainDataObj: { openAIApiKey: "sk-stub" } } });
  const client = new pg.Client({ connectionString: parts.databaseUrl });
  await client.connect();
  try {
    for (const flow of realFlows(parts.modelUrl, credential.json.id)) {
      const { json } = await call<{ id: string }>(url, "POST", "/chatflows", { headers: admin, body: { ...flow.body, ...(flow.isBound && { apikeyid: parts.boundKeyId }) } });
      await client.query("UPDATE chat_flow SET id = $1 WHERE id = $2", [flow.id, json.id]);
      // A rate limit is armed by a change or a restart, not when the flow is made.
      if (flow.body.apiConfig) await call(url, "PUT", `/chatflows/${flow.id}`, { headers: admin, body: { apiConfig: flow.body.apiConfig } });
    }
  } finally {
    await client.end();
  }
}
