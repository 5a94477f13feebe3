import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createApi } from "@/lib/api";
import { startWorker } from "@/lib/jobs";
import { closeDb } from "@/lib/platform/db";
import { logger } from "@/lib/platform/logger";
import { applyMigrations } from "@/lib/platform/migrate";
import { closeQueue } from "@/lib/platform/queue";
import { closeRedis } from "@/lib/platform/redis";
import { checkEnv } from "./server/check-env";
import { listen } from "./server/listen";
import { type Pages, startPages } from "./server/pages";

/**
 * The one public port. The HTTP API is answered here; everything else is piped to Next.js in a second process, so that
 * rendering a page never stands in the way of an API call (`SERVER_MODE=split`).
 */
async function main(): Promise<void> {
  const settings = checkEnv();
  const migrated = await applyMigrations(settings.DATABASE_URL, "prisma/migrations");
  if (migrated.length) logger.info({ migrated }, "migrations applied");

  const api = getRequestListener(createApi().fetch);
  const innerSecret = randomBytes(32).toString("base64url");
  let pages: Pages | null = null;
  let stopping = false;
  const server = createServer((request, response) => {
    if (isApiPath(request.url ?? "/")) void api(request, response);
    else if (!isDecodable(request.url ?? "/")) refuse(response, 400, "This address is not well-formed.");
    else if (pages) pages.pipe(request, response);
    else refuse(response, 503, "The portal is starting. Try again in a moment.");
  });
  server.on("upgrade", (request, socket, head) => {
    if (pages) pages.upgrade(request, socket, head);
    else socket.on("error", () => undefined).destroy();
  });
  const listeners = await listen(server, settings.PORT, settings.HOST);

  const worker = settings.WORKER === "inside" ? await startWorker() : null;
  if (settings.SERVER_MODE === "split") {
    pages = await startPages({ innerSecret, onEnd: (code) => void stop(`the page process ended (${code})`, 1) });
  }
  logger.info({ port: settings.PORT, mode: settings.SERVER_MODE }, "ready");
  process.send?.("ready");

  async function stop(reason: string, code: number): Promise<void> {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, "stopping");
    const deadline = setTimeout(() => process.exit(code), settings.SHUTDOWN_GRACE_SECONDS * 1000 + 2000);
    deadline.unref();
    const drained = Promise.all(listeners.map((l) => new Promise<void>((done) => l.close(() => done()))));
    for (const l of listeners) l.closeIdleConnections();
    // Open streams may end by themselves within the grace; what is left then is cut.
    const cut = setTimeout(() => listeners.forEach((l) => l.closeAllConnections()), settings.SHUTDOWN_GRACE_SECONDS * 1000);
    await drained;
    clearTimeout(cut);
    await Promise.allSettled([worker?.close(), pages?.stop()]);
    await Promise.allSettled([closeQueue(), closeRedis(), closeDb()]);
    process.exit(code);
  }
  process.on("SIGTERM", () => void stop("SIGTERM", 0));
  process.on("SIGINT", () => void stop("SIGINT", 0));
  // A launcher that dies takes its channel with it; a server nobody owns must not keep the port.
  process.on("disconnect", () => void stop("the launcher is gone", 0));
}

/** What belongs to the Hono app; Auth.js keeps its own corner of `/api`, as a route handler of Next.js. */
export function isApiPath(url: string): boolean {
  const path = url.split("?", 1)[0] ?? "/";
  if (path === "/health" || path === "/info" || path === "/.well-known/jwks.json") return true;
  if (path === "/api/auth" || path.startsWith("/api/auth/")) return path === "/api/auth/backchannel-logout";
  return path === "/api" || path.startsWith("/api/");
}

/** Next.js answers a broken escape with a 500 of its own. */
function isDecodable(url: string): boolean {
  try {
    decodeURI(url);
    return true;
  } catch {
    return false;
  }
}

function refuse(response: ServerResponse<IncomingMessage>, status: 400 | 503, words: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", ...(status === 503 && { "Retry-After": "2" }) });
  response.end(`${words}\n`);
}

main().catch((error: unknown) => {
  logger.fatal({ err: error }, "could not start");
  process.stderr.write(`sluice: could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
