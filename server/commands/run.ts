import { randomUUID } from "node:crypto";
import { type Context, jobContext } from "@/lib/access";
import { closeDb } from "@/lib/platform/db";
import { isSluiceError } from "@/lib/platform/errors";
import { announceKeyRings } from "@/lib/platform/key-rings";
import { closeQueue } from "@/lib/platform/queue";
import { closeRedis } from "@/lib/platform/redis";
import { checkEnv } from "../check-env";

/** Words for people go to stderr, so that stdout holds the answer alone. */
export const say = (line: string) => void process.stderr.write(`${line}\n`);

/** What the person at the shell has to put right. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Runs an operator's command with the server's own environment, as a job of that name in the audit log: whoever has the
 * server's shell and settings may do everything.
 * @param work answers the exit code
 */
export async function runCommand(name: string, work: (ctx: Context) => Promise<number>): Promise<void> {
  checkEnv();
  let code = 1;
  // What a command seals, every server has to open; without Redis it goes by our own order.
  await announceKeyRings(null).catch(() => undefined);
  try {
    code = await work(jobContext(name, randomUUID()));
  } catch (error) {
    if (isSluiceError(error)) {
      say(`sluice: ${error.detail}`);
      for (const { pointer, detail } of error.options.errors ?? []) say(`  ${pointer}: ${detail}`);
    } else say(`sluice: ${error instanceof Error ? error.message : String(error)}`);
  }
  await Promise.allSettled([closeQueue(), closeRedis()]);
  await closeDb();
  process.exitCode = code;
}
