import { z } from "@hono/zod-openapi";
import { runPrediction, streamPrediction } from "@/lib/chatflows";
import { PredictionInput } from "@/lib/chatflows/schemas";
import { type ApiApp, route } from "@/lib/entry/api";
import { clientGone, sendStream } from "@/lib/entry/send-stream";
import { setCredits } from "./chat";
import { FlowId } from "./chatflows";

/** Flowise's own path: its SDK and chat widget need only another host and a key. */
export function predictionRoutes(app: ApiApp): void {
  route(app, {
    method: "post", path: "/api/v1/prediction/:id", tag: "Flowise", summary: "Flowise's prediction, plain or with `streaming: true`", permission: "ai:predict", creates: true, params: FlowId, body: PredictionInput, uploads: true, bodyOptional: true,
    answers: [{ status: 200, streams: true, description: "Flowise's answer, or its events where the chatflow can stream.", schema: z.looseObject({ text: z.string().optional(), chatId: z.string(), sessionId: z.string().optional(), chatMessageId: z.string().optional() }) }],
  }, async (ctx, { params, body }, c) => {
    const gone = clientGone(c);
    const answer = body.streaming === true ? await streamPrediction(ctx, params.id, body, gone) : ({ kind: "json", plain: await runPrediction(ctx, params.id, body, gone) } as const);
    if (answer.kind === "stream") {
      setCredits(c, answer.stream.hold);
      return sendStream(c, answer.stream);
    }
    setCredits(c, answer.plain.hold);
    return c.json(answer.plain.data);
  });
}
