/** Runs once when the page process starts: a setting that cannot be used stops it, with one line each. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { env, EnvError } = await import("./lib/platform/env");
  try {
    env();
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    for (const line of error.lines) process.stderr.write(`sluice: ${line}\n`);
    process.exit(1);
  }
}
