import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build, generateClient } from "./build";
import { removePostgresData } from "./lib/postgres";
import { startSeededStack } from "./seeded-stack";
import { isFree } from "./stack";

const dataDir = resolve(".data");
/** When the command began, with what it installs before this file runs. */
const startedAt = Number(process.env.SLUICE_STARTED_AT ?? Date.now());
delete process.env.SLUICE_STARTED_AT;
const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** What is there only while it runs: the addresses for scripts, and the web process's settings for `npm run key:create`. */
function forgetDemo(): void {
  for (const file of ["demo.json", "demo-env.json"]) rmSync(join(dataDir, file), { force: true });
}

async function main(): Promise<void> {
  const development = process.argv.includes("--dev");
  const port = Number(process.env.PORT ?? 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`PORT must be a number between 1 and 65535, not ${process.env.PORT}`);
  if (!(await isFree(port))) throw new Error(`port ${port} is taken; run PORT=${port + 1} npm run ${development ? "dev" : "demo"}`);
  if (process.argv.includes("--fresh")) {
    say("starting over: what earlier runs left in .data is removed");
    removePostgresData(join(dataDir, "postgres"));
    rmSync(dataDir, { recursive: true, force: true });
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  forgetDemo();
  if (development) generateClient();
  else await build(say);

  // From the first part on: whoever gives up while it starts leaves nothing running.
  const givenUp = new AbortController();
  const early = () => givenUp.abort();
  process.on("SIGINT", early);
  process.on("SIGTERM", early);
  const { stack, demo } = await startSeededStack({ dataDir, port, development, say, signal: givenUp.signal }).catch((error: unknown) => {
    if (!givenUp.signal.aborted) throw error;
    say("stopped before it was ready");
    process.exit(0);
  });
  process.off("SIGINT", early);
  process.off("SIGTERM", early);
  let asked = false;
  const stop = async (code: number) => {
    if (asked) return;
    asked = true;
    forgetDemo();
    say("stopping");
    await stack.stop();
    process.exit(code);
  };
  process.on("SIGINT", () => void stop(0));
  process.on("SIGTERM", () => void stop(0));
  stack.onPartEnd((name) => {
    process.stderr.write(`sluice: ${name} ended unexpectedly; see .data/web.log\n`);
    void stop(1);
  });

  writeFileSync(join(dataDir, "demo.json"), `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 });
  writeFileSync(join(dataDir, "demo-env.json"), `${JSON.stringify(stack.web.env, null, 2)}\n`, { mode: 0o600 });
  say("");
  say(`  Open ${stack.url} and sign in as one of ${demo.users.map((u) => u.username).join(", ")} with the password ${stack.demoPassword}`);
  say("  ada administers, uma uses, vic may only look; gus belongs to another tenant, nel has no role. Ctrl-C stops everything.");
  say("");
  say(`ready ${stack.url} after ${seconds()}`);
}

main().catch((error: unknown) => {
  process.stderr.write(`sluice: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
