import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { Prisma, PrismaClient } from "../generated/prisma/client";
import { env } from "./env";

export { Prisma } from "../generated/prisma/client";
export type Tx = Prisma.TransactionClient;

// Next.js may load this module once for pages and once for route handlers; one process wants one pool.
const shared = globalThis as typeof globalThis & { sluicePool?: pg.Pool; sluicePrisma?: PrismaClient };

/** No statement of ours takes as long. */
const silentMsMax = 30_000;

/**
 * Ends connections that owe an answer for so long. A host that vanishes sends no reset, and the kernel waits a quarter of an hour for its
 * word, during which what hangs there would fill the pool, however soon another host has taken over.
 */
export function endSilent(pool: pg.Pool, ms: number): void {
  pool.on("connect", (client) => {
    const { stream } = client.connection;
    if (!(stream instanceof Socket)) return;
    let answeredTo = 0;
    stream.on("data", () => { answeredTo = stream.bytesWritten; });
    stream.setTimeout(ms, () => { if (stream.bytesWritten > answeredTo) stream.destroy(new Error("Connection terminated: no answer")); });
  });
}

/** The pool below Prisma, for the few statements where Prisma's price is too high (the key check's miss, credit holds). */
export function pool(): pg.Pool {
  if (!shared.sluicePool) {
    shared.sluicePool = new pg.Pool({ connectionString: env().DATABASE_URL, max: env().DATABASE_POOL, connectionTimeoutMillis: 3000, application_name: "sluice" });
    // An idle connection that the server ends is the pool's to replace; without a listener it would end the process.
    shared.sluicePool.on("error", () => undefined);
    endSilent(shared.sluicePool, silentMsMax);
  }
  return shared.sluicePool;
}

export function db(): PrismaClient {
  shared.sluicePrisma ??= new PrismaClient({ adapter: new PrismaPg(pool(), { disposeExternalPool: false }) });
  return shared.sluicePrisma;
}

/** How often a transaction is begun when PostgreSQL ends it for another's sake. */
const triesMax = 4;

/**
 * One transaction for a change and its audit event. Network calls stay outside, and `run` changes nothing but rows: when two
 * transactions wait for one another, PostgreSQL ends one of them, and that one is run again.
 */
export async function transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db().$transaction(run, { timeout: 15_000, maxWait: 5_000 });
    } catch (error) {
      if (!isWriteConflict(error) || tries >= triesMax) throw error;
      await sleep(Math.random() * 50 * tries);
    }
  }
}

/** A deadlock or a failed serialization, as Prisma's client (P2034) and its raw queries (P2010, the driver's error in `meta`) tell it. */
function isWriteConflict(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return error.code === "P2034" || (error.code === "P2010" && /TransactionWriteConflict|40P01|40001/.test(`${JSON.stringify(error.meta)} ${error.message}`));
}

/** Prisma's "unique constraint failed" (P2002), so that a verb can turn it into its own conflict. */
export function isUniqueViolation(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && (error.code === "P2002" || error.code === "23505");
}

const awayCode = /^(P1001|P1002|P1008|P1017|P2024|P2028|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|57P0\d|08\d{3}|53300)$/;
const awayWords = /timeout exceeded when trying to connect|Connection terminated|terminating connection|Server has closed the connection|Can't reach database|not queryable|ECONNREFUSED|ECONNRESET/i;
/** How deep an error is searched: Prisma lays the driver's error into `meta.driverAdapterError.cause`. */
const depthMax = 5;

/** Whether the database could not be reached or answer at all, as opposed to refusing one statement. */
export function isDatabaseDown(error: unknown): boolean {
  return tellsOfOutage(error, depthMax);
}

function tellsOfOutage(error: unknown, depth: number): boolean {
  if (typeof error !== "object" || error === null || depth === 0) return false;
  const { code, originalCode, cause, meta, driverAdapterError } = error as Record<string, unknown>;
  if ([code, originalCode].some((one) => typeof one === "string" && awayCode.test(one))) return true;
  if (error instanceof Error && awayWords.test(error.message)) return true;
  return [cause, meta, driverAdapterError].some((inner) => tellsOfOutage(inner, depth - 1));
}

export async function closeDb(): Promise<void> {
  const prisma = shared.sluicePrisma;
  const current = shared.sluicePool;
  shared.sluicePrisma = undefined;
  shared.sluicePool = undefined;
  await prisma?.$disconnect();
  await current?.end();
}
