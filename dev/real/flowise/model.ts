import { createServer, type ServerResponse } from "node:http";
import { listenOnLoopback, readBody } from "../../lib/calls";

/** What a model of this name does, so that each flow of the demo behaves as its stand-in. */
type Model = "echo" | "draft" | "breaks" | "denies" | "silent" | "half-silent";
type Message = { role: string; content: unknown };

/** A model with the OpenAI protocol that costs nothing and answers the same every time. */
export async function startModel(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    void (async () => {
      const body = JSON.parse((await readBody(req, 10_000_000)).toString("utf8")) as { model: Model; messages: Message[]; stream?: boolean };
      await answer(res, body.model, body.messages, body.stream === true);
    })().catch(() => res.destroy());
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close: () => new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }),
  };
}

async function answer(res: ServerResponse, model: Model, messages: Message[], stream: boolean): Promise<void> {
  if (model === "denies") return void res.writeHead(401, { "content-type": "application/json" }).end('{"error":{"message":"401 Unauthorized","type":"invalid_request_error","code":"invalid_api_key"}}');
  if (model === "silent") return;
  if (model === "breaks" && !stream) return void res.writeHead(500, { "content-type": "application/json" }).end('{"error":{"message":"The model went away"}}');
  const text = words(model, messages);
  const chunk = (delta: object, finish: string | null = null) => `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 0, model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  if (!stream) return void res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ id: "c", object: "chat.completion", created: 0, model, choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
  res.writeHead(200, { "content-type": "text/event-stream" });
  const pieces = text.match(/\S+\s*/g) ?? [];
  for (const [i, piece] of pieces.entries()) {
    res.write(chunk({ role: "assistant", content: piece }));
    await new Promise((done) => setTimeout(done, 15));
    if (model === "half-silent") return;
    if (model === "breaks" && i === 1) return void res.destroy();
  }
  res.write(chunk({}, "stop"));
  res.end("data: [DONE]\n\n");
}

/** The last question; a conversation shows by its count. */
function words(model: Model, messages: Message[]): string {
  const asked = messages.filter(({ role }) => role === "user").map(({ content }) => textOf(content));
  const question = asked.at(-1) ?? "";
  if (model === "draft") return `Draft for: ${question}`;
  return asked.length > 1 ? `(turn ${asked.length}) You said: ${question}` : `You said: ${question}`;
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? "").join("") : "";
}
