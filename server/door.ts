import { randomBytes } from "node:crypto";
import { getRequestListener } from "@hono/node-server";
import { createApi } from "@/lib/api";
import { type RunningWorker, startWorker } from "@/lib/jobs";
import { closeDb } from "@/lib/platform/db";
import { adminTokenMin, type Env } from "@/lib/platform/env";
import { keepAnnouncingKeyRings, stopAnnouncingKeyRings } from "@/lib/platform/key-rings";
import { logger } from "@/lib/platform/logger";
import { applyMigrations } from "@/lib/platform/migrate";
import { closeQueue } from "@/lib/platform/queue";
import { closeRedis } from "@/lib/platform/redis";
import { untilFinished } from "@/lib/platform/unfinished";
import { closeUpstream } from "@/lib/upstream";
import { listen, newServer } from "./listen";
import { type Pages, pagesInside } from "./pages";
import { pipeTo } from "./pipe";
import { answerRequests } from "./requests";

/** The one public port: what belongs to the API is answered here, everything else by Next.js. */
export async function openDoor(settings: Env): Promise<void> {
  // First of all: whoever asks us to stop while a part is away must not be kept waiting for that part.
  let stop = async (_reason: string): Promise<void> => process.exit(0);
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));
  // Whoever started us takes the channel along when they die; a server nobody owns must not keep the port.
  process.on("disconnect", () => void stop("the launcher is gone"));

  const migrated = await applyMigrations(settings.DATABASE_URL, "prisma/migrations");
  if (migrated.length) logger.info({ migrated }, "migrations applied");

  if (settings.ADMIN_TOKEN && settings.ADMIN_TOKEN.length < adminTokenMin) logger.warn({ charactersMin: adminTokenMin }, "ADMIN_TOKEN is too short, so the bootstrap door stays closed");

  await keepAnnouncingKeyRings();
  const api = getRequestListener(createApi().fetch);
  const answersApi = settings.SERVER_MODE !== "pages";
  const pages = await pagesOf(settings);
  let stopping = false;
  const server = newServer(answerRequests({ api, answersApi, pages, isStopping: () => stopping }), pages?.upgrade);
  const listeners = await listen(server, settings.PORT, settings.HOST);

  // Not awaited: with Redis away it waits for it, and pages and the database's part of the API need not.
  const worker = settings.WORKER === "inside" && answersApi ? startWorker() : null;
  worker?.catch((error: unknown) => logger.error({ err: error }, "the worker could not start"));

  stop = async (reason) => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, "stopping");
    const graceMs = settings.SHUTDOWN_GRACE_SECONDS * 1000;
    setTimeout(() => process.exit(0), graceMs + 8000).unref();
    const drained = Promise.all(listeners.map((l) => new Promise<void>((done) => l.close(() => done()))));
    for (const l of listeners) l.closeIdleConnections();
    // Open streams may end by themselves within the grace; what is left then is cut, and settled below.
    const cut = setTimeout(() => listeners.forEach((l) => l.closeAllConnections()), graceMs);
    await drained;
    clearTimeout(cut);
    const left = await untilFinished(5000);
    if (left > 0) logger.warn({ left }, "stopped with work unfinished; jobs take it up");
    await Promise.allSettled([stopWorker(worker), pages?.stop(), closeUpstream()]);
    await stopAnnouncingKeyRings();
    await Promise.allSettled([closeQueue(), closeRedis(), closeDb()]);
    process.exit(0);
  };
  process.send?.("ready");
  if (settings.SLUICE_ROLE !== "door") logger.info({ port: settings.PORT, mode: settings.SERVER_MODE }, "ready");
}

async function pagesOf(settings: Env): Promise<Pages | null> {
  if (settings.SERVER_MODE === "single") return pagesInside(randomBytes(32).toString("base64url"));
  const { SLUICE_PAGES_PORT: port, SLUICE_INNER_SECRET: innerSecret } = settings;
  if (settings.SERVER_MODE === "api" || !port || !innerSecret) return null;
  return pipeTo(port, { innerSecret, upgrades: settings.NODE_ENV === "development" });
}

/** One that still waits for Redis has nothing to close. */
async function stopWorker(worker: Promise<RunningWorker> | null): Promise<void> {
  const running = await Promise.race([worker?.catch(() => null), new Promise<null>((done) => setTimeout(() => done(null), 100))]);
  await running?.close();
}
