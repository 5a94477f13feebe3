import { existsSync } from "node:fs";
import { env, type Env, EnvError } from "@/lib/platform/env";

/** The settings; when they cannot be used, one line for each and the end of the process. */
export function checkEnv(): Env {
  // For `npm start` by hand. A launcher gives its child all settings itself, and a stray file must not add to them.
  if (!process.connected && existsSync(".env")) process.loadEnvFile(".env");
  try {
    return env();
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    for (const line of error.lines) process.stderr.write(`sluice: ${line}\n`);
    process.exit(1);
  }
}
