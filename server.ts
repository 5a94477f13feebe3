import { logger } from "@/lib/platform/logger";
import { checkEnv } from "./server/check-env";

/**
 * The start command. `SERVER_MODE` says what it is: `split` (the API and Next.js as two processes behind one port, so that
 * rendering a page never stands in the way of an API call), `single` (both in one process), `api` or `pages` alone.
 */
async function main(): Promise<void> {
  const settings = checkEnv();
  const inTwo = settings.SERVER_MODE === "split" || settings.SERVER_MODE === "pages";
  // Loaded by need: the process that only watches over the two others must stay small.
  if (inTwo && settings.SLUICE_ROLE !== "door") await (await import("./server/supervise")).supervise(settings);
  else await (await import("./server/door")).openDoor(settings);
}

main().catch((error: unknown) => {
  logger.fatal({ err: error }, "could not start");
  process.stderr.write(`sluice: could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
