import { request } from "undici";
import { type ApiApp, type ApiContext, plainGet, problemResponse } from "@/lib/entry/api";
import { requestHeader } from "@/lib/entry/headers";
import { countFailedCall } from "@/lib/entry/identify";
import { innerSecretHeader } from "@/lib/platform/client-address";
import { equalSecrets } from "@/lib/platform/crypto";
import { env, metricsTokenMin } from "@/lib/platform/env";
import { notFound, SluiceError } from "@/lib/platform/errors";
import { isTokenEndpointPaused } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { metrics, type MetricsOfProcess, readMetrics, renderMetrics } from "@/lib/platform/metrics";
import { measureSessions } from "@/lib/sessions";

const pagesDeadlineMs = 2000;

/** What Prometheus reads. With `SERVER_MODE=split` the door answers for both processes of the replica: Next.js signs people in and refreshes tokens too. */
export function metricsRoutes(app: ApiApp): void {
  plainGet(app, "/api/metrics", async (c) => {
    if (isTheDoor(c)) return c.json(await readMetrics());
    await requireMetricsToken(c);
    const { SLUICE_ROLE: role, SLUICE_PAGES_PORT: port } = env();
    const [pages] = await Promise.all([role === "door" && port ? readPages(port) : undefined, measure()]);
    metrics.processUp.set(1, { of: "door" });
    if (pages !== undefined) metrics.processUp.set(pages ? 1 : 0, { of: "pages" });
    const { body, contentType } = await renderMetrics({ door: await readMetrics(), ...(pages && { pages }) });
    return c.body(body, 200, { "Content-Type": contentType });
  });
  app.openAPIRegistry.registerPath({
    method: "get", path: "/api/metrics", tags: ["Service"], summary: "What the replica counts, for Prometheus", security: [], description: "Needs `Authorization: Bearer <METRICS_TOKEN>`; without such a setting there is nothing here.",
    responses: { 200: { description: "Prometheus' text format.", content: { "text/plain": { schema: { type: "string" } } } }, default: problemResponse },
  });
}

/** The page process is asked by its door, over the loopback address and with the secret of this start; nobody else knows that. */
function isTheDoor(c: ApiContext): boolean {
  const given = requestHeader(c, innerSecretHeader);
  const { SLUICE_INNER_SECRET: secret, SLUICE_ROLE: role } = env();
  return role !== "door" && secret !== undefined && given !== undefined && requestHeader(c, "authorization") === undefined && equalSecrets(given, secret);
}

async function requireMetricsToken(c: ApiContext): Promise<void> {
  const { METRICS_TOKEN: token } = env();
  if (!token || token.length < metricsTokenMin) throw notFound("There is nothing at this address.");
  const given = /^bearer\s+(\S+)\s*$/i.exec(requestHeader(c, "authorization") ?? "")?.[1];
  if (given !== undefined && equalSecrets(given, token)) return;
  const refusal = given === undefined ? new SluiceError("missing_credentials", "Send the metrics token as `Authorization: Bearer`.") : new SluiceError("invalid_credentials", "This is not the metrics token.");
  await countFailedCall(c.get("caller"), refusal);
  throw refusal;
}

/** Null while it does not answer: its part is missing then, and `process_up` says so. */
async function readPages(port: number): Promise<MetricsOfProcess | null> {
  try {
    const answer = await request(`http://127.0.0.1:${port}/api/metrics`, { headers: { [innerSecretHeader]: env().SLUICE_INNER_SECRET ?? "" }, headersTimeout: pagesDeadlineMs, bodyTimeout: pagesDeadlineMs });
    if (answer.statusCode === 200) return (await answer.body.json()) as MetricsOfProcess;
    await answer.body.dump();
  } catch (error) {
    logger.warn({ err: error }, "the page process did not tell its metrics");
  }
  return null;
}

/** What stands in Redis is looked up when somebody asks. While it is away the rest is told all the same. */
async function measure(): Promise<void> {
  try {
    const [count, paused] = await Promise.all([measureSessions(), isTokenEndpointPaused()]);
    metrics.breakerOpen.set(paused ? 1 : 0);
    metrics.blobsByKid.reset();
    if (count) metrics.sessions.set(count.sessions);
    for (const [kid, blobs] of Object.entries(count?.byKid ?? {})) metrics.blobsByKid.set(blobs, { kid });
  } catch (error) {
    logger.warn({ err: error }, "the sessions could not be counted");
  }
}
