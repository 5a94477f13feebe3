import { z } from "@hono/zod-openapi";
import { assignByEmail, syncChatflows, unassignByEmail } from "@/lib/chatflows";
import { AssignmentAnswer, SyncAnswer } from "@/lib/chatflows/schemas";
import { adjustCredits } from "@/lib/credits";
import { AccountView, AdjustCreditsInput } from "@/lib/credits/schemas";
import { type ApiApp, route, success } from "@/lib/entry/api";
import { envelope } from "./envelope";
import { named } from "./named";

const tag = "Admin";
const Assignment = named(AssignmentAnswer, "Assignment");
const FlowAndEmail = z.object({ id: z.string().max(100), email: z.email("must be an email address").max(320) });

/** What administrators do for everybody. The same under `/api/admin` and `/api/v1/admin`. */
export function adminRoutes(app: ApiApp): void {
  for (const base of ["/api/admin", "/api/v1/admin"]) {
    route(app, { method: "post", path: `${base}/chatflows/sync`, tag, summary: "Copy Flowise's chatflows now", permission: "admin:chatflows", answers: [{ status: 200, description: "What changed.", schema: named(SyncAnswer, "Sync") }] },
      async (ctx, _input, c) => c.json(await syncChatflows(ctx)));

    route(app, { method: "post", path: `${base}/chatflows/:id/users/email/:email`, tag, summary: "Let a person use a chatflow", permission: "admin:chatflows", creates: true, params: FlowAndEmail, answers: [{ status: 200, description: "Who, and what.", schema: Assignment }] },
      async (ctx, { params }, c) => c.json(await assignByEmail(ctx, params.id, params.email)));

    route(app, { method: "delete", path: `${base}/chatflows/:id/users/email/:email`, tag, summary: "Take a chatflow away from a person", permission: "admin:chatflows", params: FlowAndEmail, answers: [{ status: 200, description: "Who, and what.", schema: Assignment }] },
      async (ctx, { params }, c) => c.json(await unassignByEmail(ctx, params.id, params.email)));

    route(app, { method: "post", path: `${base}/users/:id/credits`, tag, summary: "Grant credits to a person, or take some back", permission: "admin:credits", creates: true, params: z.object({ id: z.string().max(100) }), body: AdjustCreditsInput, answers: [{ status: 200, description: "Their account.", schema: envelope(AccountView) }] },
      async (ctx, { params, body }, c) => success(c, await adjustCredits(ctx, params.id, body)));
  }
}
