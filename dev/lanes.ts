import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Redis } from "ioredis";
import { checkFiles } from "./identity-checks";
import { leaksIn, secretsOf } from "./leaks";
import { freePort } from "./lib/postgres";
import { startSeededStack } from "./seeded-stack";
import type { StackOptions } from "./stack";

/** What test runs share: lanes that are counted, and the last line `N passed, N failed`. */
export const say = (line: string) => void process.stdout.write(`${line}\n`);
export const bin = (path: string) => [process.execPath, join("node_modules", path)] as const;
export const folder = mkdtempSync("/var/tmp/sluice-test-run-");
const only = new Set(process.argv.slice(2));
export const wanted = (lane: string) => only.size === 0 || only.has(lane);
/** The one lane that was asked for brings along what belongs to it elsewhere. */
export const isAlone = (lane: string) => only.size === 1 && only.has(lane);
let passed = 0;
let failed = 0;
/** What failed, by name: a long log hides it, and the end of a log is what is kept. */
const failures: string[] = [];

/** Several lanes side by side would talk over each other: what each of them says is then kept until it has ended. */
let sideBySide = false;

async function run(command: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const [file = "", ...args] = command;
  const said: Buffer[] = [];
  const child = spawn(file, args, { stdio: ["inherit", sideBySide ? "pipe" : "inherit", sideBySide ? "pipe" : "inherit"], env: { ...process.env, NODE_OPTIONS: "", ...env } });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => said.push(chunk));
  // `close` and not `exit`: what it said last has arrived by then.
  const code = await new Promise<number>((done) => child.on("close", (ended) => done(ended ?? 1)));
  process.stdout.write(Buffer.concat(said));
  return code;
}

/** Runs lanes at the same time that do not share a stack. */
export async function together(...lanes: (() => Promise<void>)[]): Promise<void> {
  sideBySide = lanes.length > 1;
  try {
    await Promise.all(lanes.map((lane) => lane()));
  } finally {
    sideBySide = false;
  }
}

const startedAt = new Map<string, number>();

function heading(name: string): void {
  startedAt.set(name, performance.now());
  say(sideBySide ? `${name} has begun; what it says follows when it has ended` : `\n== ${name}`);
}

function ended(name: string): void {
  say(`${sideBySide ? "^^" : "=="} ${name}: ${Math.round((performance.now() - (startedAt.get(name) ?? 0)) / 1000)} s`);
}

export async function check(name: string, command: readonly string[]): Promise<void> {
  if (!wanted(name)) return;
  heading(name);
  const code = await run(command);
  ended(name);
  if (code === 0) passed++;
  else {
    failed++;
    failures.push(name);
  }
}

/** Adds a runner's own count; a run that wrote none, or executed nothing, has failed. */
export async function suite(name: string, command: readonly string[], report: string, env: Record<string, string> = {}): Promise<void> {
  if (!wanted(laneOf(name))) return;
  heading(name);
  const code = await run(command, env);
  ended(name);
  const counts = existsSync(report) ? countsOf(JSON.parse(readFileSync(report, "utf8"))) : { passed: 0, failed: 1, names: ["it wrote no report"] };
  passed += counts.passed;
  failed += counts.failed;
  failures.push(...counts.names.map((test) => `${name}: ${test}`));
  // A runner may fail beside its tests (an error nobody caught, a file that does not load), or run nothing at all.
  if (counts.failed === 0 && (code !== 0 || counts.passed === 0)) {
    failed++;
    failures.push(code === 0 ? `${name}: it ran no test` : `${name}: ended with code ${code}, see its output`);
  }
}

type VitestReport = { numPassedTests: number; numFailedTests: number; testResults: { name: string; status: string; assertionResults: { fullName: string; status: string; failureMessages: string[] }[] }[] };
type PlaywrightSuite = { suites?: PlaywrightSuite[]; specs: { title: string; file: string; ok: boolean; tests: { status: string; results: { error?: { message?: string } }[] }[] }[] };
type PlaywrightReport = { stats: { expected: number; unexpected: number; flaky: number }; suites: PlaywrightSuite[] };

function countsOf(report: VitestReport | PlaywrightReport): { passed: number; failed: number; names: string[] } {
  // Flaky is broken.
  if ("stats" in report) return { passed: report.stats.expected, failed: report.stats.unexpected + report.stats.flaky, names: report.suites.flatMap(brokenSpecs) };
  const names = report.testResults.flatMap((file) => file.assertionResults.filter((test) => test.status === "failed").map((test) => `${relative(process.cwd(), file.name)}: ${test.fullName}${whyOf(test.failureMessages[0])}`));
  return { passed: report.numPassedTests, failed: report.numFailedTests, names };
}

/** The beginning of what it said: what was expected, and what was there. */
const whyOf = (message: string | undefined) => {
  const lines = stripVTControlCharacters(message ?? "").split("\n").filter((line) => line.trim() !== "");
  return lines.slice(0, 4).map((line) => `\n    ${line.slice(0, 300)}`).join("");
};

const brokenSpecs = (suite: PlaywrightSuite): string[] => [
  ...suite.specs.filter((spec) => spec.tests.some((test) => test.status === "unexpected" || test.status === "flaky")).map((spec) => `${spec.file}: ${spec.title}${spec.tests.flatMap(({ results }) => results).map(({ error }) => whyOf(error?.message)).find((why) => why !== "") ?? ""}`),
  ...(suite.suites ?? []).flatMap(brokenSpecs),
];

/** Whatever the suites made the portal say, at the level that says most, its log holds no secret. */
export function leaks(logFile: string, secrets: [name: string, value: string][], sessionIds: ReadonlySet<string>): void {
  say("\n== the log holds no secret");
  const log = readFileSync(logFile, "utf8");
  const found = leaksIn(log, secrets, sessionIds);
  if (log.length < 10_000 || sessionIds.size === 0 || found.length > 0) {
    say(found.length ? `${found.length} found, the first is ${found[0] ?? ""}` : "the log is too short, or nobody signed in: it means nothing");
    failed++;
    failures.push("the log holds no secret");
  } else passed++;
}

/** Of every session that anybody began, the ended ones too for an hour. */
async function sessionIdsIn(redisUrl: string): Promise<Set<string>> {
  const redis = new Redis(redisUrl);
  try {
    return new Set((await redis.keys("sl:s:{*}:m")).map((key) => /\{(.*)\}/.exec(key)?.[1] ?? ""));
  } finally {
    redis.disconnect();
  }
}

export function chromium(): string | null {
  const known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/Applications/Chromium.app/Contents/MacOS/Chromium"].find((path) => existsSync(path));
  if (known) return known;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return null;
  say("installing chromium (apt-get)");
  const quiet = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
  execFileSync("apt-get", ["update", "-q"], quiet);
  execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", "chromium"], quiet);
  return existsSync("/usr/bin/chromium") ? "/usr/bin/chromium" : null;
}

export const vitest = (config: string, report: string, ...more: string[]) => [...bin("vitest/vitest.mjs"), "run", "--config", config, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...more];

/** A part of a lane has its name, and after a comma a word of its own. */
const laneOf = (name: string) => name.split(",", 1)[0] ?? name;

type Lane = { name: string; command(report: string): readonly string[]; env?: Record<string, string> };

/** The suites that need a running product, each lane with how its runner is called. */
const lanesOnStack = (browser: string | null): Lane[] => {
  const playwright = (...files: string[]) => ({ command: () => [...bin("@playwright/test/cli.js"), "test", "--reporter=list,json", ...files], ...(browser && { env: { SLUICE_CHROMIUM: browser } }) });
  return [
    { name: "http", command: (report) => vitest("vitest.http.config.ts", report) },
    { name: "identity", command: (report) => vitest("vitest.identity.config.ts", report) },
    ...(isAlone("identity") ? [
      { name: "identity, over HTTP", command: (report: string) => vitest("vitest.http.config.ts", report, ...checkFiles("test/http")) },
      { name: "identity, in the browser", ...playwright(...checkFiles("e2e")) },
    ] : []),
    { name: "e2e", ...playwright() },
  ];
};

/**
 * The HTTP, identity and browser suites against stacks of their own; afterwards each stack's log is searched for secrets.
 * @param options.apart the HTTP suite has a stack of its own, beside that of the others: two cores have time for both, since both wait much. The browser hardly waits, and so comes last.
 */
export async function suitesOnStack(options: Partial<StackOptions> & { apart?: boolean }, browser: string | null, env: Record<string, string> = {}): Promise<void> {
  const { apart, ...stackOptions } = options;
  const lanes = lanesOnStack(browser).filter(({ name }) => wanted(laneOf(name)));
  const groups = apart ? [lanes.filter(({ name }) => name === "http"), lanes.filter(({ name }) => name !== "http")] : [lanes];
  await together(...groups.filter((group) => group.length > 0).map((group) => () => onStack([...new Set(group.map(({ name }) => laneOf(name)))].join("-"), stackOptions, group, env)));
}

async function onStack(label: string, options: Partial<StackOptions>, lanes: Lane[], env: Record<string, string>): Promise<void> {
  const dataDir = join(folder, label);
  const { stack, demo } = await startSeededStack({ dataDir, port: await freePort(), throwaway: true, say, ...options, env: { LOG_LEVEL: "debug", ...options.env } });
  const failedBefore = failed;
  try {
    const stackFile = join(folder, `${label}-stack.json`);
    // Tests start replicas of their own with these settings; the file goes when the run is over.
    writeFileSync(stackFile, JSON.stringify({ demo, env: stack.web.env }), { mode: 0o600 });
    for (const lane of lanes) {
      const report = join(folder, `${lane.name}.json`);
      await suite(lane.name, lane.command(report), report, { SLUICE_STACK: stackFile, PLAYWRIGHT_JSON_OUTPUT_NAME: report, ...lane.env, ...env });
    }
    leaks(join(dataDir, "web.log"), [...secretsOf(stack.web.env), ["a password", demo.users[0]?.password ?? ""]], await sessionIdsIn(stack.redisUrl));
    if (failed > failedBefore) say(`\nthe portal's last words:\n${readFileSync(join(dataDir, "web.log"), "utf8").split("\n").filter((l) => /"level":[56]0/.test(l)).slice(-10).map((l) => l.slice(0, 300)).join("\n")}`);
  } finally {
    await stack.stop();
  }
}

/** Runs it all and ends the process with its outcome. */
export function finish(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    failed++;
    failures.push("the run itself, see its output");
    process.stderr.write(`sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }).finally(() => {
    rmSync(folder, { recursive: true, force: true });
    if (failures.length > 0) say(`\nfailed:\n${failures.map((name) => `  ${name}`).join("\n")}`);
    say(`\n${passed} passed, ${failed} failed`);
    process.exit(failed > 0 || passed === 0 ? 1 : 0);
  });
}
