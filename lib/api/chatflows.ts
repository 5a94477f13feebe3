import { z } from "@hono/zod-openapi";
import { canStream, getMyChatflow, listMyChatflows } from "@/lib/chatflows";
import { ChatflowView, ListMyChatflowsInput } from "@/lib/chatflows/schemas";
import { type ApiApp, route } from "@/lib/entry/api";
import { named } from "./named";
import { linkNextPage } from "./next-page";

export const FlowId = z.object({ id: z.string().max(100) });
const Chatflow = named(ChatflowView, "Chatflow");
const ChatflowWithTimes = named(z.object({ ...ChatflowView.shape, created: z.string().nullable(), updated: z.string().nullable() }), "ChatflowWithTimes");

/** What is assigned to the caller. Bare arrays, as existing clients know them. */
export function chatflowRoutes(app: ApiApp): void {
  for (const path of ["/api/v1/chatflows", "/api/v1/chatflows/my-chatflows"]) {
    route(app, { method: "get", path, tag: "Chatflows", summary: "The chatflows assigned to one, by name; all of them, or with `limit` a page and a `Link` to the next", permission: "chatflows:read", query: ListMyChatflowsInput, answers: [{ status: 200, description: "Chatflows.", schema: z.array(Chatflow) }] },
      async (ctx, { query }, c) => {
        const { chatflows, nextCursor } = await listMyChatflows(ctx, query);
        linkNextPage(c, nextCursor);
        return c.json(chatflows);
      });
  }

  route(app, { method: "get", path: "/api/v1/chatflows/:id", tag: "Chatflows", summary: "One of them", permission: "chatflows:read", params: FlowId, answers: [{ status: 200, description: "The chatflow.", schema: ChatflowWithTimes }] },
    async (ctx, { params }, c) => {
      const flow = await getMyChatflow(ctx, params.id);
      return c.json({ ...flow, created: flow.createdDate, updated: flow.updatedDate });
    });

  route(app, { method: "get", path: "/api/v1/chatflows-streaming/:id", tag: "Flowise", summary: "Whether a chatflow can stream; asked without a credential, as Flowise's SDK does", credential: "none", asksEngine: true, params: FlowId, answers: [{ status: 200, description: "False also for what does not exist.", schema: z.object({ isStreaming: z.boolean() }) }] },
    async (_caller, { params }, c) => c.json({ isStreaming: await canStream(params.id) }));
}
