import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type RedisServer, startRedis } from "../../dev/lib/redis";
import { look } from "../../ops/doctor/look";
import { passwordOf } from "./client";

type Finding = { area: string; check: string; outcome: "passed" | "failed" | "not applicable"; detail?: string; cure?: string; why?: string };
type Told = { code: number | null; out: string; findings: Finding[]; failed: string[] };

const folder = mkdtempSync("/var/tmp/sluice-doctor-");
let redis: RedisServer;
let settings: Record<string, string>;

// The stack of a test run keeps nothing, so that it is fast; here a Redis is wanted that an operator could have.
beforeAll(async () => {
  redis = await startRedis(join(folder, "redis"));
  settings = { ...inject("webEnv"), REDIS_URL: redis.url, DOCTOR_USERNAME: "uma", DOCTOR_PASSWORD: passwordOf("uma") };
});

afterAll(async () => {
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function run(args: string[], more: Record<string, string> = {}): Promise<{ code: number | null; out: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ["--conditions=react-server", "--import", "tsx", "ops/doctor/main.ts", ...args], { env: { NODE_ENV: "production", PATH: process.env.PATH ?? "", ...settings, ...more }, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => { out += chunk.toString(); });
    child.on("close", (code) => done({ code, out }));
  });
}

const failuresOf = (findings: Finding[]) => findings.filter((f) => f.outcome === "failed").map((f) => `${f.area}: ${f.check}`);

async function doctor(more: Record<string, string> = {}): Promise<Told> {
  const { code, out } = await run(["--json"], more);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return { code, out, findings, failed: failuresOf(findings) };
}

/** The same looking without the command around it: starting that takes longer than the looking. */
async function looked(more: Record<string, string> = {}): Promise<Pick<Told, "findings" | "failed" | "out">> {
  const findings: Finding[] = [];
  for await (const found of look({ NODE_ENV: "production", ...settings, ...more })) findings.push(...found);
  return { findings, failed: failuresOf(findings), out: JSON.stringify(findings) };
}

describe("the doctor", () => {
  it("finds the embedded stack sound, real tokens included, and names no secret", async () => {
    const told = await doctor();
    expect(told.failed).toEqual([]);
    expect(told.code).toBe(0);
    const passed = told.findings.filter((f) => f.outcome === "passed").map((f) => `${f.area}: ${f.check}`);
    expect(passed).toEqual(expect.arrayContaining([
      "settings: all of them parse", "issuer: discovery", "clients: sluice-web authenticates", "clients: sluice-machine leads back to us", "clients: sluice-web wants PKCE",
      "tokens: audiences", "tokens: token for nflow alone", "tokens: token for flowise alone", "tokens: signed out again", "Redis: never evicts", "Redis: keeps its data",
      "PostgreSQL: migrations", "NFlow: refuses whoever brings no token", "Flowise: key",
    ]));
    const secrets = Object.entries(settings).filter(([name]) => /SECRET|KEK|PASSWORD|_KEY$|TOKEN$/.test(name)).map(([, value]) => value);
    for (const secret of [...secrets, new URL(settings.DATABASE_URL ?? "").password]) expect(told.out.includes(secret)).toBe(false);
    expect(told.out).not.toMatch(/eyJ[\w-]{10,}/);
  });

  it("tells a person the same in lines, each failure with its cure", async () => {
    const { code, out } = await run([], { KEYCLOAK_CLIENT_SECRET: "not-the-secret" });
    expect(code).toBe(1);
    expect(out).toMatch(/^FAILED +clients: sluice-web authenticates \(its secret is wrong\)\n +→ copy the secret of sluice-web/m);
    expect(out).toMatch(/\d+ passed, 1 failed, \d+ not applicable\n$/);
    expect(out).not.toContain("not-the-secret");
  });

  it.each([
    ["a wrong client secret", { KEYCLOAK_CLIENT_SECRET: "not-the-secret" }, "clients: sluice-web authenticates", /copy the secret/],
    ["a client that is not there", { KEYCLOAK_MACHINE_CLIENT_ID: "nobody" }, "clients: nobody authenticates", /keycloak:setup/],
    ["a wrong secret of the client for passwords", { KEYCLOAK_DIRECT_CLIENT_SECRET: "not-the-secret" }, "clients: sluice-direct authenticates", /KEYCLOAK_DIRECT_CLIENT_SECRET/],
    ["an AUTH_URL that is a number", { AUTH_URL: "http://127.0.0.1:3000" }, "settings: AUTH_URL is an address that people can use", /http:\/\/localhost:3000/],
    ["a Flowise that is not there", { FLOWISE_URL: "http://localhost:9" }, "Flowise: answers", /FLOWISE_URL/],
    ["a wrong Flowise key", { FLOWISE_API_KEY: "not-the-key-at-all" }, "Flowise: key", /FLOWISE_API_KEY/],
    ["an NFlow that is not there", { NFLOW_API_URL: "http://localhost:9/v1" }, "NFlow: refuses whoever brings no token", /NFLOW_API_URL/],
    ["an issuer that is not there", { KEYCLOAK_ISSUER: "http://localhost:9/realms/sluice" }, "issuer: discovery", /KEYCLOAK_ISSUER/],
    ["a Redis that is not there", { REDIS_URL: "redis://localhost:9" }, "Redis: answers", /REDIS_URL/],
    ["a database that is not there", { DATABASE_URL: "postgresql://sluice:a-password@localhost:9/sluice" }, "PostgreSQL: version", /DATABASE_URL/],
    ["a wrong password of the person", { DOCTOR_PASSWORD: "not-the-password" }, "tokens: sign-in by password", /DOCTOR_PASSWORD/],
    ["a key for server actions that is too short", { NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: "c2hvcnQ=" }, "settings: NEXT_SERVER_ACTIONS_ENCRYPTION_KEY", /openssl rand/],
    ["a missing setting", { AUTH_SECRET: "" }, "settings: AUTH_SECRET is missing", /\.env/],
  ])("%s fails in its own line, with the cure", async (_what, more, line, cure) => {
    const told = await looked(more);
    expect(told.failed).toEqual([line]);
    expect(told.findings.find((f) => f.outcome === "failed")?.cure).toMatch(cure);
    for (const value of Object.values(more)) if (/^(not-the|a-pass)/.test(value)) expect(told.out).not.toContain(value);
  });

  it("ends a session at Keycloak to see its word arrive, in the Redis of the portal that runs; elsewhere it does not guess", async () => {
    const finding = (told: Pick<Told, "findings">) => told.findings.find((f) => f.check === "Keycloak reaches us");
    expect(finding(await looked({ REDIS_URL: inject("webEnv").REDIS_URL ?? "" }))).toMatchObject({ outcome: "passed", detail: expect.stringContaining("/api/auth/backchannel-logout") as string });
    expect(finding(await looked())).toMatchObject({ outcome: "not applicable", why: expect.stringContaining("not the one that a running portal uses") as string });
  });

  it.each([
    ["evicts", { "maxmemory-policy": "allkeys-lru" }, { "maxmemory-policy": "noeviction" }, "Redis: never evicts", /noeviction/],
    ["keeps nothing", { appendonly: "no" }, { appendonly: "yes" }, "Redis: keeps its data", /appendonly yes/],
  ])("a Redis that %s fails in its own line", async (_what, broken, whole, line, cure) => {
    const client = new Redis(redis.url);
    try {
      await client.config("SET", ...Object.entries(broken).flat() as [string, string]);
      const told = await looked();
      expect(told.failed).toEqual([line]);
      expect(told.findings.find((f) => f.outcome === "failed")?.cure).toMatch(cure);
    } finally {
      await client.config("SET", ...Object.entries(whole).flat() as [string, string]);
      client.disconnect();
    }
  });

  it("says that a sign-out never arrived, where Keycloak tells another portal than the one that runs on this Redis", async () => {
    const client = new Redis(redis.url);
    // By its schedule the doctor knows the Redis of a portal.
    const schedule = "{jobs}:sluice:meta";
    try {
      await client.hset(schedule, "version", "1");
      const told = await looked();
      expect(told.failed).toEqual(["sign-outs: Keycloak reaches us"]);
      expect(told.findings.find((f) => f.outcome === "failed")).toMatchObject({ detail: "a sign-out at Keycloak never arrived", cure: expect.stringContaining("/api/auth/backchannel-logout") as string });
    } finally {
      await client.del(schedule);
      client.disconnect();
    }
  });
});
