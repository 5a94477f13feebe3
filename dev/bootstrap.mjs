// The first thing that `npm run demo`, `npm run dev`, `npm test` and the operator's commands run: plain JavaScript without a package, since on a
// fresh machine there are none. Installs what is missing, then hands over to the TypeScript that does the work.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { answerBefore } from "./options.mjs";

const startedAt = Date.now();

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const [command = "demo", ...rest] = process.argv.slice(2);
// Beside a machine-readable answer there is no room for our words.
const say = (line) => (rest.includes("--json") ? process.stderr : process.stdout).write(`${line}\n`);
const die = (line) => {
  process.stderr.write(`sluice: ${line}\n`);
  process.exit(1);
};

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) die(`Node 20.19 or newer is needed, this is ${process.versions.node}.`);

function install() {
  const lock = createHash("sha256").update(readFileSync("package-lock.json")).update(process.version.split(".")[0] ?? "").digest("hex");
  const stamp = join("node_modules", ".sluice-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing packages (npm ci), about a minute");
  const npm = spawnSync(process.platform === "win32" ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund"], { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8", env: { ...process.env, NODE_ENV: "development" } });
  if (npm.status !== 0) die(`the packages could not be installed:\n${npm.stderr?.split("\n").filter((l) => l.includes("npm error")).slice(0, 8).join("\n") || npm.error?.message}`);
  writeFileSync(stamp, lock);
}

const answer = answerBefore(command, rest);
if (answer) {
  (answer.code === 0 ? process.stdout : process.stderr).write(`${answer.text}\n`);
  process.exit(answer.code);
}
install();
mkdirSync(".data", { recursive: true });

const script = { demo: "dev/demo.ts", dev: "dev/demo.ts", test: "dev/test.ts", "test:real": "dev/test-real.ts", bench: "bench/main.ts", build: "dev/build.ts", "keycloak:setup": "ops/keycloak-setup/main.ts", doctor: "ops/doctor/main.ts", "key:create": "server/commands/key-create.ts", "key:import": "server/commands/key-import.ts", "signing-key:rotate": "server/commands/signing-key-rotate.ts" }[command];
if (!script) die(`unknown command ${command}`);
// The key commands act on the server's stores. Where no server is set up here, that is the demo's while it runs.
const demoEnv = join(".data", "demo-env.json");
const isKeyCommand = /^(signing-)?key:/.test(command);
const demo = isKeyCommand && !process.env.DATABASE_URL && !existsSync(".env") && existsSync(demoEnv) ? JSON.parse(readFileSync(demoEnv, "utf8")) : {};
const environment = { ...demo, ...process.env, ...(/^(demo|dev)$/.test(command) && { SLUICE_STARTED_AT: String(startedAt) }), ...(isKeyCommand && { LOG_LEVEL: process.env.LOG_LEVEL ?? "error" }) };
// `node` itself, not a wrapper: a signal must reach the process that stops the parts.
const child = spawn(process.execPath, ["--conditions=react-server", "--import", "tsx", script, ...(command === "dev" ? ["--dev"] : []), ...rest], { stdio: "inherit", env: environment });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal === "SIGINT" ? "SIGINT" : "SIGTERM"));
child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
