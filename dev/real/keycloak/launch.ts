import { spawn } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../lib/postgres";

export type Launched = { base: string; stop(): Promise<void> };

/** The administrator of the realm `master`; such a server lives for one test run, on loopback. */
export const bootstrapAdmin = { username: "admin", password: "admin" };

/**
 * Starts Keycloak on loopback with its database in `dataDir`.
 *
 * `--cache=local` belongs here: without it `start` opens cluster ports on all interfaces. C1 alone compiles less, which
 * takes a fifth off the start on two cores.
 */
export async function launch(options: { home: string; dataDir: string; javaHome: string; port?: number }): Promise<Launched> {
  const port = options.port ?? (await freePort());
  const database = `jdbc:h2:file:${join(options.dataDir, "keycloakdb")};NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE`;
  const logFile = join(options.dataDir, "keycloak.log");
  const child = spawn(join(options.home, "bin", "kc.sh"), ["start", "--optimized", "--http-enabled=true", "--http-host=127.0.0.1", `--http-port=${port}`, "--hostname-strict=false", "--cache=local", `--db-url=${database}`], {
    cwd: options.home, detached: true, stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...(options.javaHome && { JAVA_HOME: options.javaHome }), JAVA_OPTS_APPEND: "-XX:TieredStopAtLevel=1", KC_BOOTSTRAP_ADMIN_USERNAME: bootstrapAdmin.username, KC_BOOTSTRAP_ADMIN_PASSWORD: bootstrapAdmin.password },
  });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  // The launcher is a shell and Java its child: the group is what must go.
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      if (child.pid) process.kill(-child.pid, signal);
    } catch { /* It is gone already. */ }
  };
  const orphaned = () => signalGroup("SIGKILL");
  process.once("exit", orphaned);
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  const stop = async () => {
    process.off("exit", orphaned);
    signalGroup("SIGTERM");
    const late = setTimeout(() => signalGroup("SIGKILL"), 15_000);
    await ended;
    clearTimeout(late);
  };
  const base = `http://localhost:${port}`;
  for (const deadline = Date.now() + 180_000; ; ) {
    if (child.exitCode !== null) throw new Error(`Keycloak ended while starting:\n${lastLines(logFile)}`);
    const ready = await fetch(`${base}/realms/master/.well-known/openid-configuration`).then((r) => r.ok, () => false);
    if (ready) return { base, stop };
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`Keycloak was not ready within 180 s:\n${lastLines(logFile)}`);
    }
    await new Promise((done) => setTimeout(done, 200));
  }
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").split("\n").slice(-20).join("\n");
}
