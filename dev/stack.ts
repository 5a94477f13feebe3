import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { freePort, startPostgres } from "./lib/postgres";
import { stopChild } from "./lib/process";
import { startRedis } from "./lib/redis";

export type StackOptions = {
  /** Where everything that lasts is kept. */
  dataDir: string;
  port: number;
  throwaway?: boolean;
  development?: boolean;
  /** Further or other settings of the web process. */
  env?: Record<string, string>;
  /** Where the web process's log goes. */
  logFile?: string;
  say(line: string): void;
  real?: RealParts;
  /** Somebody who gives up while it starts: what has started is stopped again. */
  signal?: AbortSignal;
};

type PartSecrets = Record<"webSecret" | "machineSecret" | "directSecret" | "syncSecret" | "demoPassword", string>;

/** Real parts in place of stand-ins, with the same doors for tests; see `dev/real`. */
export type RealParts = {
  identity?(settings: PartSecrets & { dataDir: string; sluiceUrl: string; say(line: string): void }): Promise<{ issuer: string; stop(): Promise<void> }>;
  flowise?(settings: { dataDir: string; adminDatabaseUrl: string; say(line: string): void }): Promise<{ url: string; serviceKey: string; stop(): Promise<void> }>;
};

export type Web = { url: string; pid: number; env: Record<string, string>; stop(): Promise<void>; kill(signal: NodeJS.Signals): void };

export type Stack = {
  url: string;
  issuer: string;
  nflowUrl: string;
  flowiseUrl: string;
  databaseUrl: string;
  redisUrl: string;
  adminToken: string;
  metricsToken: string;
  demoPassword: string;
  web: Web;
  /** One more web process on the same stores, as a replica behind a load balancer would be. Its address differs, AUTH_URL does not. */
  startReplica(env?: Record<string, string>): Promise<Web>;
  /** Fires once, when a part ends that was not asked to. */
  onPartEnd(listener: (name: string) => void): void;
  stop(): Promise<void>;
};

type Secrets = Record<"authSecret" | "sessionKek" | "vaultKek" | "webSecret" | "machineSecret" | "directSecret" | "syncSecret" | "demoPassword" | "adminToken" | "metricsToken" | "flowiseKey" | "flowiseBoundKey" | "actionsKey", string>;

function secrets(dataDir: string): Secrets {
  const file = join(dataDir, "secrets.json");
  const token = () => randomBytes(33).toString("base64url");
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<Secrets>) : {};
  // A demo that was started by an earlier version lacks what has come since.
  const made: Secrets = {
    authSecret: token(), sessionKek: randomBytes(32).toString("base64"), vaultKek: randomBytes(32).toString("base64"), webSecret: token(), machineSecret: token(), directSecret: token(), syncSecret: token(),
    demoPassword: `demo-${randomBytes(6).toString("hex")}`, adminToken: token(), metricsToken: token(), flowiseKey: randomBytes(32).toString("base64url"), flowiseBoundKey: randomBytes(32).toString("base64url"), actionsKey: randomBytes(32).toString("base64"), ...kept,
  };
  writeFileSync(file, JSON.stringify(made, null, 2), { mode: 0o600 });
  return made;
}

/** The same port as last time when it is free: the issuer's address is part of every session and grant. */
async function keptPort(dataDir: string, name: string): Promise<number> {
  const file = join(dataDir, "ports.json");
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, number>) : {};
  const last = kept[name];
  const port = last && (await isFree(last)) ? last : await freePort();
  const latest = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, number>) : {};
  writeFileSync(file, JSON.stringify({ ...latest, [name]: port }));
  return port;
}

export function isFree(port: number): Promise<boolean> {
  const tryOn = (host: string) => new Promise<boolean>((done) => {
    const probe = createServer().once("error", (error: NodeJS.ErrnoException) => done(error.code !== "EADDRINUSE")).listen(port, host, () => probe.close(() => done(true)));
  });
  return Promise.all([tryOn("127.0.0.1"), tryOn("::1")]).then((free) => free.every(Boolean));
}

/** Starts every embedded part and the web process. Whatever fails, what had started is stopped again. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dataDir, say } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const secret = secrets(dataDir);
  const stops: (() => Promise<void>)[] = [];
  const endListeners: ((name: string) => void)[] = [];
  let stopping = false;

  const stop = async () => {
    stopping = true;
    for (const next of stops.splice(0).reverse()) await next().catch(() => undefined);
  };

  options.signal?.addEventListener("abort", () => void stop(), { once: true });
  const part = async (name: string, script: string, env: Record<string, string>): Promise<string> => {
    const child = spawn(process.execPath, ["--import", "./dev/lib/leash.mjs", "--import", "tsx", script], { env: { ...process.env, NODE_OPTIONS: "", ...env }, stdio: ["ignore", "pipe", "pipe", "ipc"], detached: true });
    stops.push(() => stopChild(child));
    const line = await firstLine(child, name, new RegExp(`^${name} listening (\\S+)`));
    child.once("exit", () => { if (!stopping) endListeners.forEach((listener) => listener(name)); });
    return line;
  };

  const url = `http://localhost:${options.port}`;
  const startIdentity = async (): Promise<string> => {
    if (options.real?.identity) {
      const { issuer, stop: stopIdentity } = await options.real.identity({ ...secret, dataDir: join(dataDir, "keycloak"), sluiceUrl: url, say });
      stops.push(stopIdentity);
      return issuer;
    }
    return part("identity", "dev/identity/main.ts", {
      IDENTITY_PORT: String(await keptPort(dataDir, "identity")), IDENTITY_STATE_FILE: join(dataDir, "identity.json"), SLUICE_URL: url, SLUICE_DEMO_PASSWORD: secret.demoPassword,
      SLUICE_WEB_SECRET: secret.webSecret, SLUICE_MACHINE_SECRET: secret.machineSecret, SLUICE_DIRECT_SECRET: secret.directSecret, SLUICE_SYNC_SECRET: secret.syncSecret,
    });
  };
  const startFlowise = async (issuer: string, adminDatabaseUrl: string): Promise<{ url: string; serviceKey: string }> => {
    if (options.real?.flowise) {
      const { stop: stopFlowise, ...flowise } = await options.real.flowise({ dataDir: join(dataDir, "flowise"), adminDatabaseUrl, say });
      stops.push(stopFlowise);
      return flowise;
    }
    const flowiseUrl = await part("flowise", "dev/flowise/main.ts", { FLOWISE_PORT: "0", IDENTITY_ISSUER: issuer, FLOWISE_CHECK_TOKENS: "true", FLOWISE_SERVICE_KEY: secret.flowiseKey, FLOWISE_BOUND_KEY: secret.flowiseBoundKey, FLOWISE_STATE_FILE: join(dataDir, "flowise.json") });
    return { url: flowiseUrl, serviceKey: secret.flowiseKey };
  };

  try {
    say("starting PostgreSQL, Redis, the identity provider, NFlow and Flowise");
    const [postgres, redis, issuer] = await Promise.all([
      startPostgres(join(dataDir, "postgres"), { throwaway: options.throwaway }).then((p) => { stops.unshift(p.stop); return p; }),
      startRedis(join(dataDir, "redis"), { throwaway: options.throwaway, say }).then((r) => { stops.unshift(r.stop); return r; }),
      startIdentity(),
    ]);
    const [nflowUrl, flowise] = await Promise.all([
      part("nflow", "dev/nflow/main.ts", { NFLOW_PORT: "0", IDENTITY_ISSUER: issuer, NFLOW_AUDIENCE: "nflow", NFLOW_STATE_FILE: join(dataDir, "nflow.json") }),
      startFlowise(issuer, postgres.urlOf("postgres")),
    ]);

    const webEnv: Record<string, string> = {
      NODE_ENV: options.development ? "development" : "production", HOST: "localhost", LOG_LEVEL: process.env.LOG_LEVEL ?? "info",
      AUTH_URL: url, AUTH_SECRET: secret.authSecret, SESSION_KEKS: `s1:${secret.sessionKek}`, VAULT_KEKS: `v1:${secret.vaultKek}`, NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: secret.actionsKey,
      KEYCLOAK_ISSUER: issuer, KEYCLOAK_CLIENT_ID: "sluice-web", KEYCLOAK_CLIENT_SECRET: secret.webSecret, KEYCLOAK_MACHINE_CLIENT_ID: "sluice-machine", KEYCLOAK_MACHINE_CLIENT_SECRET: secret.machineSecret,
      KEYCLOAK_DIRECT_CLIENT_ID: "sluice-direct", KEYCLOAK_DIRECT_CLIENT_SECRET: secret.directSecret, PASSWORD_GRANT_ENABLED: "true",
      KEYCLOAK_SYNC_CLIENT_ID: "sluice-sync", KEYCLOAK_SYNC_CLIENT_SECRET: secret.syncSecret,
      DATABASE_URL: postgres.url, REDIS_URL: redis.url, NFLOW_API_URL: nflowUrl, FLOWISE_URL: flowise.url, FLOWISE_AUTH: "user-token", FLOWISE_API_KEY: flowise.serviceKey,
      ADMIN_TOKEN: secret.adminToken, METRICS_TOKEN: secret.metricsToken, AUTH_FAILURE_LIMIT: "2000/60", UPSTREAM_FIRST_BYTE_TIMEOUT_MS: "5000", CONTACT: "ada@acme.test",
      // As its realm does.
      REGISTRATION_LINK: "true",
      // Tests disable people and enable them again, and should not wait half a minute for either to show.
      ...(options.throwaway && { PEOPLE_SWEEP_SECONDS: "2" }),
      ...options.env,
    };
    say("starting the portal");
    const startWeb = async (port: number, more: Record<string, string>): Promise<Web> => {
      const env: Record<string, string> = { ...webEnv, PORT: String(port), ...more };
      const runner = options.development ? ["--conditions=react-server", "--import", "./dev/lib/leash.mjs", "--import", "tsx", "server.ts"] : ["--enable-source-maps", "dist/server.mjs"];
      const child = spawn(process.execPath, runner, { env: { NODE_ENV: "production", PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env }, stdio: ["ignore", "pipe", "pipe", "ipc"], detached: true });
      const log = createWriteStream(options.logFile ?? join(dataDir, "web.log"), { flags: "a" });
      child.stdout?.pipe(log);
      let words = "";
      child.stderr?.on("data", (chunk: Buffer) => { words = (words + chunk.toString()).slice(-4000); log.write(chunk); });
      const stopWeb = () => stopChild(child, "SIGTERM", 30_000);
      stops.push(stopWeb);
      await new Promise<void>((done, fail) => {
        // In development pages are compiled when they are first asked for.
        if (options.development) void untilAnswering(`http://localhost:${port}/sign-in`).then(done);
        else child.once("message", () => done());
        child.once("exit", (code) => fail(new Error(`the portal ended while starting (${code}): ${words.trim()}`)));
      });
      child.once("exit", () => { if (!stopping) endListeners.forEach((listener) => listener("portal")); });
      return { url: `http://localhost:${port}`, pid: child.pid ?? 0, env, stop: stopWeb, kill: (signal) => void child.kill(signal) };
    };
    const web = await startWeb(options.port, {});
    return {
      url, issuer, nflowUrl, flowiseUrl: flowise.url, databaseUrl: postgres.url, redisUrl: redis.url, adminToken: secret.adminToken, metricsToken: secret.metricsToken, demoPassword: secret.demoPassword, web,
      startReplica: async (env = {}) => startWeb(await freePort(), env),
      onPartEnd: (listener) => void endListeners.push(listener),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilAnswering(url: string): Promise<void> {
  for (;;) {
    const status = await fetch(url, { redirect: "manual" }).then((r) => r.status, () => 0);
    if (status > 0 && status < 500) return;
    await new Promise((done) => setTimeout(done, 200));
  }
}

function firstLine(child: ChildProcess, name: string, pattern: RegExp): Promise<string> {
  return new Promise((done, fail) => {
    let out = "";
    let words = "";
    child.stderr?.on("data", (chunk: Buffer) => { words = (words + chunk.toString()).slice(-2000); });
    child.stdout?.on("data", (chunk: Buffer) => {
      out = (out + chunk.toString()).slice(-4000);
      const found = out.split("\n").map((line) => pattern.exec(line)?.[1]).find(Boolean);
      if (found) done(found);
    });
    child.once("exit", (code) => fail(new Error(`${name} ended while starting (${code}): ${words.trim()}`)));
  });
}
