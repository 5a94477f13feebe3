import { spawn } from "node:child_process";
import { differenceOf, mean } from "../method/statistics";
import { pinned } from "../method/pinning";
import type { Site } from "../site/site";
import { figure, type Row } from "./row";

export type SessionTold = { /** Redis commands for one warm token, and how often it waited for answers. */ commands: number; trips: number; same: boolean; tokenMs: number[]; pingMs: number[] };

export const sessionToken: Row = {
  name: "session-token",
  title: "A session's upstream token, warm",
  async run({ site, rounds, quick }) {
    const { commands, trips, same, tokenMs, pingMs } = await runChild(site, { ROUNDS: String(rounds), TIMES: quick ? "500" : "2000" });
    if (!same) throw new Error("the token changed while it was warm");
    return [
      { what: "Redis round trips of a warm token", ours: `${figure(commands, 2)} commands in ${figure(trips, 2)} trips`, denominator: "one call", ratio: { mean: trips, min: trips, max: trips }, unit: "trips", goal: { atMost: 1 }, notes: commands > trips ? ["each further command in the same trip still costs both processes CPU"] : [] },
      { what: "p50 of a warm token above a PING", ours: `${figure(mean(tokenMs), 3)} ms`, denominator: `PING: ${figure(mean(pingMs), 3)} ms`, ratio: differenceOf(tokenMs, pingMs), unit: "ms", goal: { atMost: 0.3 }, notes: [] },
    ];
  },
};

/** The script brings an identity provider of its own, with the secrets that it has in tests. */
const ownRealm = { KEYCLOAK_CLIENT_SECRET: "sluice-web-secret", KEYCLOAK_MACHINE_CLIENT_SECRET: "sluice-machine-secret", KEYCLOAK_DIRECT_CLIENT_SECRET: "sluice-direct-secret" };

function runChild(site: Site, options: Record<string, string>): Promise<SessionTold> {
  const [file = "", ...args] = pinned("server", [process.execPath, "--conditions=react-server", "--import", "tsx", "bench/rows/session-token.child.ts"]);
  const child = spawn(file, args, { env: { ...process.env, NODE_OPTIONS: "", ...site.env, ...ownRealm, ...options, LOG_LEVEL: "error" }, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise((done, fail) => {
    child.once("message", (told: SessionTold) => done(told));
    child.once("exit", (code) => fail(new Error(`the session script ended early (${code})`)));
  });
}
