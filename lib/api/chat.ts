import { z } from "@hono/zod-openapi";
import { listMyChatflows, predictOnce, streamChatflow } from "@/lib/chatflows";
import { PredictAnswer, PredictInput } from "@/lib/chatflows/schemas";
import { getBalance, type Hold } from "@/lib/credits";
import { type ApiApp, type ApiContext, route } from "@/lib/entry/api";
import { setHeader } from "@/lib/entry/headers";
import { clientGone, sendStream } from "@/lib/entry/send-stream";
import { named } from "./named";

const tag = "Chat";

/** Every prediction answer tells what was held, and what is left after that. */
export function setCredits(c: ApiContext, hold: Hold): void {
  setHeader(c, "X-Credits-Held", String(hold.amount));
  setHeader(c, "X-Credits-Remaining", String(hold.remaining));
}

/** The older chat client's words (contract section 6). */
export function chatRoutes(app: ApiApp): void {
  route(app, { method: "post", path: "/api/v1/chat/predict", tag, summary: "Ask a chatflow and wait for its answer", permission: "ai:predict", creates: true, body: PredictInput, uploads: true, answers: [{ status: 200, description: "The answer, and what it cost.", schema: named(PredictAnswer, "Prediction") }] },
    async (ctx, { body }, c) => {
      const { answer, hold } = await predictOnce(ctx, body, clientGone(c));
      setCredits(c, hold);
      return c.json(answer);
    });

  route(app, {
    method: "post", path: "/api/v1/chat/predict/stream", tag, summary: "Ask a chatflow and receive its answer as it comes", permission: "ai:predict", creates: true, body: PredictInput, uploads: true,
    description: "Server-sent events in Flowise's form: `data:{\"event\":\"token\",\"data\":\"…\"}`, ended by `end`. Closing the connection stops the run; credits are settled for what was used.",
    answers: [{ status: 200, description: "The events.", type: "text/event-stream" }],
  }, async (ctx, { body }, c) => {
    const stream = await streamChatflow(ctx, body, clientGone(c));
    setCredits(c, stream.hold);
    return sendStream(c, stream);
  });

  route(app, { method: "get", path: "/api/v1/chat/credits", tag, summary: "One's credits", permission: "credits:read", answers: [{ status: 200, description: "The balance.", schema: z.object({ credits: z.int(), totalCredits: z.int(), held: z.int(), currency: z.literal("credits") }) }] },
    async (ctx, _input, c) => {
      const { available, held } = await getBalance(ctx);
      return c.json({ credits: available, totalCredits: available + held, held, currency: "credits" });
    });

  route(app, { method: "get", path: "/api/v1/chat/my-assigned-chatflows", tag, summary: "The ids of the chatflows assigned to one", permission: "chatflows:read", answers: [{ status: 200, description: "The ids.", schema: z.object({ assigned_chatflow_ids: z.array(z.string()), count: z.int() }) }] },
    async (ctx, _input, c) => {
      const ids = (await listMyChatflows(ctx)).chatflows.map((flow) => flow.id);
      return c.json({ assigned_chatflow_ids: ids, count: ids.length });
    });
}
