import { z } from "@hono/zod-openapi";
import { type ApiApp, plainGet, problemResponse, route } from "@/lib/entry/api";
import { checkHealth, type Health } from "@/lib/platform/health";
import { keySet } from "@/lib/tokens";
import { serviceInfo } from "./info";

const Check = z.object({ status: z.enum(["ok", "failed"]), ms: z.number() });
const checks = z.object({ database: Check, redis: Check, identity: Check, pages: Check.optional() });
const Ready = z.object({ status: z.enum(["ok", "failed"]), checks }).openapi("Ready");
/** Not an extension of `Ready`: it says `status` in other words, and both at once nothing could satisfy. */
const OldHealth = z.object({ status: z.enum(["OK", "DEGRADED"]), checks }).openapi("Health");
const Jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
const Info = z.object({ service_name: z.string(), version: z.string(), description: z.string(), dependencies: z.record(z.string(), z.string()) });

/** Health, information and the published key set: open to everybody, exempt from limits. */
export function serviceRoutes(app: ApiApp, document: () => object): void {
  route(app, { method: "get", path: "/api/health/live", tag: "Service", summary: "Whether the process runs", credential: "none", answers: [{ status: 200, description: "It runs.", schema: z.object({ status: z.literal("ok") }) }] },
    (_caller, _input, c) => c.json({ status: "ok" }));

  route(app, { method: "get", path: "/api/health/ready", tag: "Service", summary: "Whether this replica can take calls", credential: "none",
    description: "Ready means that the database and Redis answer. The identity provider and the page process are reported, and do not count: keys and cached tokens work without them.",
    answers: [{ status: 200, description: "Ready.", schema: Ready }, { status: 503, description: "The database or Redis does not answer.", schema: Ready }] },
  async (_caller, _input, c) => {
    const health = await checkHealth();
    return c.json(health, health.status === "ok" ? 200 : 503);
  });

  // The page server rewrites these three to `/api/_root/…`, where no door of its own can answer them.
  for (const root of ["", "/api/_root"]) {
    plainGet(app, `${root}/health`, async (c) => {
      const health = await checkHealth();
      return c.json({ ...health, status: old(health) }, health.status === "ok" ? 200 : 503);
    });
    plainGet(app, `${root}/info`, (c) => c.json(serviceInfo()));
    plainGet(app, `${root}/.well-known/jwks.json`, async (c) => c.json(await keySet(), 200, { "Cache-Control": "public, max-age=300" }));
  }
  const documented = (path: string, summary: string, schema: z.ZodType) => app.openAPIRegistry.registerPath({ method: "get", path, tags: ["Service"], summary, security: [], responses: { 200: { description: summary, content: { "application/json": { schema } } }, default: problemResponse } });
  documented("/health", "As /api/health/ready, in the words of old probes", OldHealth);
  documented("/info", "What this service is", Info);
  documented("/.well-known/jwks.json", "The public keys of our own tokens", Jwks);

  plainGet(app, "/api/openapi.json", (c) => c.json(document()));
}

function old(health: Health): "OK" | "DEGRADED" {
  return Object.values(health.checks).every((check) => check.status === "ok") ? "OK" : "DEGRADED";
}
