import { env, type Env, EnvError } from "@/lib/platform/env";

/** The settings; when they cannot be used, one line for each and the end of the process. */
export function checkEnv(): Env {
  try {
    return env();
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    for (const line of error.lines) process.stderr.write(`sluice: ${line}\n`);
    process.exit(1);
  }
}
