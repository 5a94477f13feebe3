import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import type { ServerResponse } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { type Postgres, startPostgres } from "@/dev/lib/postgres";
import { type RedisServer, startRedis } from "@/dev/lib/redis";
import { anEngine } from "@/dev/testing/engine";
import { applyMigrations } from "@/lib/platform/migrate";

// Stores of its own: taking them away harms no other file. They are no throwaway ones, which lose what they confirmed when they are killed.
const folder = mkdtempSync("/var/tmp/sluice-answered-");
let postgres: Postgres;
let redis: RedisServer;
let engine: Awaited<ReturnType<typeof anEngine>>;
/** Calls that the engine has and does not answer yet. */
let waiting: ServerResponse[] = [];
let who: string[] = [];

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(join(folder, "postgres")), startRedis(join(folder, "redis"))]);
  await applyMigrations(postgres.url, "prisma/migrations");
  engine = await anEngine((_req, res) => { waiting.push(res); });
}, 60_000);

const askers: Asker[] = [];
afterEach(() => {
  // A test that failed may have left it frozen.
  thaw();
  for (const asker of askers.splice(0)) asker.kill();
});
afterAll(async () => {
  await engine.close();
  await Promise.all([postgres.stop(), redis.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

type Asker = { child: ChildProcess; said: string[][]; tell(...words: string[]): void; kill(): void };

async function anAsker(): Promise<Asker> {
  const env = { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url, FLOWISE_URL: engine.url, FLOWISE_AUTH: "service-key", LOG_LEVEL: "silent" };
  const child = spawn(process.execPath, ["--conditions=react-server", "--import", "tsx", "dev/testing/asks-chatflows.ts", ...who.slice(0, 1)], { env, stdio: ["pipe", "pipe", "inherit"] });
  const said: string[][] = [];
  createInterface({ input: child.stdout }).on("line", (line) => said.push(line.split(" ")));
  const asker = { child, said, tell: (...words: string[]) => void child.stdin.write(`${words.join("\n")}\n`), kill: () => void child.kill("SIGKILL") };
  askers.push(asker);
  await vi.waitUntil(() => said.some(([word]) => word === "ready"), { timeout: 60_000 });
  who = said.find(([word]) => word === "ready")?.slice(1) ?? [];
  return asker;
}

/** Calls under way: their credits are held, and the engine has them. */
async function underWay(asker: Asker, ...kinds: ("plain" | "stream")[]): Promise<void> {
  waiting = [];
  asker.tell(...kinds);
  await vi.waitUntil(() => waiting.length === kinds.length, { timeout: 20_000 });
}

function engineAnswers(): void {
  for (const [i, res] of waiting.entries()) {
    const isStreamed = engine.received.at(i - waiting.length)?.body.includes('"streaming":true');
    res.writeHead(200, { "content-type": isStreamed ? "text/event-stream" : "application/json" });
    const frame = (event: string, data: string) => `message:\ndata:${JSON.stringify({ event, data })}\n\n`;
    res.end(isStreamed ? frame("token", "hello") + frame("end", "[DONE]") : JSON.stringify({ text: "hello" }));
  }
}

const answered = ({ said }: Asker) => said.filter(([word]) => word === "answered").map(([, id]) => id);
const allAnswered = (asker: Asker, count: number) => vi.waitUntil(() => answered(asker).length === count, { timeout: 20_000 });

/** Request ids by how their holds ended, and what the ledger has of them. */
async function booked(): Promise<{ settled: string[]; released: string[]; held: string[]; spent: number }> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ requestId: string; state: "settled" | "released" | "held" }>('SELECT "requestId", state FROM "CreditHold"');
    const ledger = await client.query<{ spent: string }>(`SELECT coalesce(sum(amount), 0) AS spent FROM "LedgerEntry" WHERE "accountId" = 'spent'`);
    const of = (state: string) => rows.filter((row) => row.state === state).map((row) => row.requestId).sort();
    return { settled: of("settled"), released: of("released"), held: of("held"), spent: Number(ledger.rows[0]?.spent) };
  } finally {
    await client.end();
  }
}

async function expireHolds(): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`UPDATE "CreditHold" SET "expiresAt" = now() - interval '1 second' WHERE state = 'held'`);
  await client.end();
}

/** The postmaster and its children, each of which leads a process group of its own. */
function signalPostgres(signal: NodeJS.Signals): void {
  const all = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  for (const [pid = 0, parent] of all) if (pid === postgres.pid || parent === postgres.pid) signalIfThere(pid, signal);
}

/** A child of PostgreSQL may end between being listed and being signalled. */
function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
const freeze = () => signalPostgres("SIGSTOP");
const thaw = () => signalPostgres("SIGCONT");
const killPostgres = async () => {
  signalPostgres("SIGKILL");
  await postgres.stop();
};
const again = async () => { postgres = await startPostgres(join(folder, "postgres"), { port: Number(new URL(postgres.url).port) }); };
const everAnswered: string[] = [];

async function settledAre(more: (string | undefined)[]): Promise<void> {
  everAnswered.push(...more.map(String));
  await expect.poll(booked, { timeout: 30_000 }).toEqual({ settled: [...everAnswered].sort(), released: expect.any(Array), held: [], spent: everAnswered.length });
}

it("calls that are answered while PostgreSQL is frozen or gone are settled as soon as it is back, without the job", async () => {
  const asker = await anAsker();
  await underWay(asker, "plain", "stream", "stream");
  freeze();
  engineAnswers();
  await allAnswered(asker, 3);
  thaw();
  await settledAre(answered(asker));

  await underWay(asker, "plain", "stream");
  await killPostgres();
  engineAnswers();
  await allAnswered(asker, 5);
  await again();
  await settledAre(answered(asker).slice(3));
  expect(asker.said.filter(([word]) => word === "failed")).toEqual([]);
});

it("calls that were answered before their process was killed are settled by the job of another, and those that were not are released", async () => {
  const first = await anAsker();
  await underWay(first, "stream", "plain");
  freeze();
  engineAnswers();
  await allAnswered(first, 2);
  first.kill();
  thaw();

  const second = await anAsker();
  await underWay(second, "plain", "stream", "plain");
  const [lost, ...whole] = waiting;
  waiting = whole;
  await killPostgres();
  engineAnswers();
  await allAnswered(second, 2);
  second.kill();
  lost?.destroy();
  await again();

  await expireHolds();
  const third = await anAsker();
  third.tell("release");
  await vi.waitUntil(() => third.said.some(([word]) => word === "released"), { timeout: 20_000 });
  await settledAre([...answered(first), ...answered(second)]);
  expect((await booked()).released).toHaveLength(1);
});

it("with Redis away as well, calls are answered, and settled by their own process when the stores are back", async () => {
  const asker = await anAsker();
  await underWay(asker, "plain", "stream");
  await redis.stop();
  await killPostgres();
  engineAnswers();
  await allAnswered(asker, 2);
  redis = await startRedis(join(folder, "redis"), { port: redis.port });
  await again();
  await settledAre(answered(asker));
});
