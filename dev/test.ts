import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, generateClient } from "./build";
import { findRedisServer } from "./lib/redis";
import { freePort } from "./lib/postgres";
import { startSeededStack } from "./seeded-stack";

/** `npm test`: everything, in the order in which a mistake shows soonest. Ends with the line `N passed, N failed`. */
const say = (line: string) => void process.stdout.write(`${line}\n`);
const bin = (path: string) => [process.execPath, join("node_modules", path)] as const;
const folder = mkdtempSync("/var/tmp/sluice-test-run-");
const only = new Set(process.argv.slice(2));
const wanted = (lane: string) => only.size === 0 || only.has(lane);
let passed = 0;
let failed = 0;

function run(command: readonly string[], env: Record<string, string> = {}): Promise<number> {
  return new Promise((done) => {
    const [file = "", ...args] = command;
    const child = spawn(file, args, { stdio: "inherit", env: { ...process.env, NODE_OPTIONS: "", ...env } });
    child.on("exit", (code) => done(code ?? 1));
  });
}

async function check(name: string, command: readonly string[]): Promise<void> {
  if (!wanted(name)) return;
  say(`\n== ${name}`);
  if ((await run(command)) === 0) passed++;
  else failed++;
}

/** Adds a runner's own count; a run that wrote none, or executed nothing, has failed. */
async function suite(name: string, command: readonly string[], report: string, env: Record<string, string> = {}): Promise<void> {
  if (!wanted(name)) return;
  say(`\n== ${name}`);
  const code = await run(command, env);
  const counts = existsSync(report) ? countsOf(JSON.parse(readFileSync(report, "utf8"))) : { passed: 0, failed: 1 };
  passed += counts.passed;
  failed += counts.failed + (code !== 0 && counts.failed === 0 ? 1 : 0) + (code === 0 && counts.passed === 0 ? 1 : 0);
}

type VitestReport = { numPassedTests: number; numFailedTests: number };
type PlaywrightReport = { stats: { expected: number; unexpected: number; flaky: number } };

function countsOf(report: VitestReport | PlaywrightReport): { passed: number; failed: number } {
  // Flaky is broken.
  if ("stats" in report) return { passed: report.stats.expected, failed: report.stats.unexpected + report.stats.flaky };
  return { passed: report.numPassedTests, failed: report.numFailedTests };
}

/** Whatever the suites made the portal say, its log holds no token, no key and no password. */
function leaks(logFile: string, ...secrets: string[]): void {
  say("\n== the log holds no secret");
  const log = readFileSync(logFile, "utf8");
  const found = [...secrets.filter((s) => s && log.includes(s)), ...(log.match(/eyJ[\w-]{20,}|\b(slk|srt)_[0-9A-Za-z]{43,}/g) ?? [])];
  if (log.length < 10_000 || found.length > 0) {
    say(found.length ? `${found.length} found, the first after …${log.slice(Math.max(0, log.indexOf(found[0] ?? "") - 200), log.indexOf(found[0] ?? ""))}` : "the log is too short to mean anything");
    failed++;
  } else passed++;
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

async function main(): Promise<void> {
  findRedisServer(say);
  const browser = chromium();
  generateClient();
  await check("types", [...bin("typescript/bin/tsc"), "--noEmit", "-p", "."]);
  await check("lint", [...bin("eslint/bin/eslint.js"), ".", "--max-warnings", "0"]);
  await check("arrows", [...bin("dependency-cruiser/bin/dependency-cruise.mjs"), "--config", ".dependency-cruiser.cjs", "app", "lib", "ops", "server", "server.ts", "middleware.ts"]);
  const vitest = (config: string, report: string) => [...bin("vitest/vitest.mjs"), "run", "--config", config, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  await suite("unit", vitest("vitest.config.ts", join(folder, "unit.json")), join(folder, "unit.json"));

  if (!wanted("http") && !wanted("e2e")) return;
  await build(say);
  const { stack, demo } = await startSeededStack({ dataDir: join(folder, "data"), port: await freePort(), throwaway: true, say });
  try {
    const stackFile = join(folder, "stack.json");
    // Tests start replicas of their own with these settings; the file goes when the run is over.
    writeFileSync(stackFile, JSON.stringify({ demo, env: stack.web.env }), { mode: 0o600 });
    await suite("http", vitest("vitest.http.config.ts", join(folder, "http.json")), join(folder, "http.json"), { SLUICE_STACK: stackFile });
    const e2e = join(folder, "e2e.json");
    await suite("e2e", [...bin("@playwright/test/cli.js"), "test", "--reporter=list,json"], e2e, { SLUICE_STACK: stackFile, PLAYWRIGHT_JSON_OUTPUT_NAME: e2e, ...(browser && { SLUICE_CHROMIUM: browser }) });
    leaks(join(folder, "data", "web.log"), demo.users[0]?.password ?? "", stack.adminToken);
    if (failed > 0) say(`\nthe portal's last words:\n${readFileSync(join(folder, "data", "web.log"), "utf8").split("\n").filter((l) => /"level":[56]0/.test(l)).slice(-20).join("\n")}`);
  } finally {
    await stack.stop();
  }
}

main().catch((error: unknown) => {
  failed++;
  process.stderr.write(`sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}).finally(() => {
  rmSync(folder, { recursive: true, force: true });
  say(`\n${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
});
