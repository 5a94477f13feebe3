import { z } from "@hono/zod-openapi";
import { type ApiApp, route } from "@/lib/entry/api";
import { createApp, getApp, removeApps, searchApps } from "@/lib/nflow";
import { Application, ApplicationPage, CreateAppInput, RemoveAppsInput, SearchAppsInput } from "@/lib/nflow/schemas";
import { named } from "./named";

const base = "/api/v1/nflow/builder/apps";
const tag = "NFlow";
const App = named(Application, "NFlowApplication");

/** NFlow's operations with the caller's own identity there; shapes and success statuses are NFlow's. */
export function nflowRoutes(app: ApiApp): void {
  route(app, { method: "post", path: `${base}/search`, tag, summary: "List applications", permission: "nflow:read", body: SearchAppsInput, bodyOptional: true, answers: [{ status: 200, description: "One page.", schema: ApplicationPage }] },
    async (ctx, { body }, c) => c.json(await searchApps(ctx, body)));

  route(app, { method: "post", path: `${base}/remove`, tag, summary: "Remove applications (recoverable)", permission: "nflow:write", body: RemoveAppsInput, answers: [{ status: 200, description: "Removed; no body." }] },
    async (ctx, { body }, c) => {
      await removeApps(ctx, body);
      return c.body(null, 200);
    });

  route(app, { method: "post", path: base, tag, summary: "Create an application", permission: "nflow:write", creates: true, body: CreateAppInput, answers: [{ status: 201, description: "The application.", schema: App }] },
    async (ctx, { body }, c) => c.json(await createApp(ctx, body), 201));

  route(app, { method: "get", path: `${base}/:name`, tag, summary: "One application", permission: "nflow:read", asksEngine: true, params: z.object({ name: z.string().min(1).max(200) }), answers: [{ status: 200, description: "The application.", schema: App }] },
    async (ctx, { params }, c) => c.json(await getApp(ctx, params.name)));
}
