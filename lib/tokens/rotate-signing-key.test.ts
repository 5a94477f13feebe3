import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { decodeProtectedHeader } from "jose";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { applyMigrations } from "@/lib/platform/migrate";
import type { Ask, Told } from "./rotate.child";

/** Two processes, each with its own memory of the keys; the database is theirs alone, since its keys come and go. */
const name = `keys_${randomBytes(6).toString("hex")}`;
const admin = new pg.Client({ connectionString: process.env.DATABASE_URL });
const url = new URL(process.env.DATABASE_URL ?? "");
url.pathname = `/${name}`;
const children: ChildProcess[] = [];

async function start() {
  const child = fork(`${import.meta.dirname}/rotate.child.ts`, { execArgv: ["--conditions=react-server", "--import", "tsx"], env: { ...process.env, DATABASE_URL: url.href } });
  children.push(child);
  const waiting = new Map<number, (told: string) => void>();
  child.on("message", ({ id, told }: Told) => waiting.get(id)?.(told));
  const heard = (id: number) => new Promise<string>((done) => waiting.set(id, done));
  let asked = 0;
  await heard(0);
  return (verb: Ask["verb"], text?: string): Promise<string> => {
    const id = ++asked;
    const told = heard(id);
    child.send({ id, verb, text } satisfies Ask);
    return told;
  };
}
let one: Awaited<ReturnType<typeof start>>;
let two: typeof one;
const kidOf = (jwt: string) => decodeProtectedHeader(jwt).kid ?? "";

beforeAll(async () => {
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await applyMigrations(url.href, "prisma/migrations");
  [one, two] = await Promise.all([start(), start()]);
}, 300_000);
afterAll(async () => {
  await Promise.all(children.map((child) => new Promise<void>((done) => { child.once("exit", () => done()); child.kill("SIGKILL"); })));
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.end();
});

it("a key is rotated with no failed call: published before it signs, and the old one verifies to the end of its last token", async () => {
  const both = [one, two];
  const forward = (seconds: number) => Promise.all(both.map((each) => each("forward", String(seconds))));
  const early = await one("sign");
  expect(await two("verify", early)).toBe("ok");
  const old = kidOf(early);

  const next = await one("rotate");
  // Known to both, and still the old one signs.
  await forward(3);
  for (const each of both) expect((await each("keys")).split(" ")).toEqual([old, next]);
  expect([kidOf(await one("sign")), kidOf(await two("sign"))]).toEqual([old, old]);

  // Half an hour of calls: what one has signed the other takes, all the way, and so it does later on.
  const failed: string[] = [];
  const kids = new Set<string>();
  let before: string[] = [early];
  for (let step = 0; step < 60; step++) {
    await forward(30);
    const [byOne, byTwo] = await Promise.all([one("sign"), two("sign")]);
    const verdicts = await Promise.all([two("verify", byOne), one("verify", byTwo), ...before.flatMap((jwt) => both.map((each) => each("verify", jwt)))]);
    failed.push(...verdicts.filter((verdict) => verdict !== "ok"));
    before = step < 25 ? before : [byOne, byTwo];
    kids.add(kidOf(byOne)).add(kidOf(byTwo));
  }
  expect(failed).toEqual([]);
  expect([...kids]).toEqual([old, next]);

  const late = await two("sign");
  expect(kidOf(late)).toBe(next);
  await forward(90_000);
  expect(Number(await one("cleanUp"))).toBe(1);
  // A look that began before all this may still be under way; the next one knows better.
  for (const each of both) await expect.poll(async () => { await each("forward", "3"); return each("keys"); }).toBe(next);
}, 300_000);

it("the schedule makes one key when it is due, however many processes look", async () => {
  const all = async () => (await one("keys")).split(" ").length;
  await one("sign");
  const before = await all();
  await Promise.all([one("due"), two("due")]);
  await one("forward", "3");
  expect(await all()).toBe(before);
  await Promise.all([one, two].map((each) => each("forward", String(91 * 86_400))));
  await Promise.all([one("due"), two("due"), one("due")]);
  await one("forward", "3");
  expect(await all()).toBe(before + 1);
}, 300_000);

it("a key that is not trusted any more is refused within a minute, and the next one signs at once", async () => {
  const stolen = await two("sign");
  expect(await one("verify", stolen)).toBe("ok");
  const next = await one("distrust");
  expect(await one("verify", stolen)).toBe("invalid_credentials");
  expect(kidOf(await one("sign"))).toBe(next);
  await two("forward", "61");
  await expect.poll(() => two("verify", stolen)).toBe("invalid_credentials");
  expect(kidOf(await two("sign"))).toBe(next);
}, 300_000);
