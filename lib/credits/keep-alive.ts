import { pool } from "@/lib/platform/db";
import { logger } from "@/lib/platform/logger";
import { within } from "@/lib/platform/within";
import { vouchFor } from "./call-register";

/** How long a hold outlives the process that stopped renewing it. */
export const holdSeconds = 120;
const renewEveryMs = 30_000;
/** A frozen PostgreSQL says nothing for longer than a hold may wait. */
const renewMsMax = 5000;

const alive = new Set<string>();
let timer: NodeJS.Timeout | undefined;

export function keepAlive(holdId: string): void {
  alive.add(holdId);
  timer ??= setInterval(() => void renewHolds(), renewEveryMs).unref();
}

export function letGo(holdId: string): void {
  alive.delete(holdId);
  if (alive.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

/** Moves the end of all living holds on. Never throws: while PostgreSQL is away, Redis is told that they live. */
export async function renewHolds(): Promise<void> {
  const ids = [...alive];
  if (ids.length === 0) return;
  const renewing = pool().query(`UPDATE "CreditHold" SET "expiresAt" = now() + make_interval(secs => $2) WHERE id = ANY($1::uuid[]) AND state = 'held'`, [ids, holdSeconds]);
  try {
    await within(renewMsMax, renewing);
  } catch (error) {
    logger.warn({ err: error }, "holds could not be renewed");
    await vouchFor(ids, holdSeconds).catch((cause: unknown) => logger.warn({ err: cause }, "nothing tells that holds are alive"));
  }
}
