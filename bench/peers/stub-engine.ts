import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type BenchFlow, benchFlows } from "./flows";
import { firstFrame, frameOf, lastFrame, tokenFrames } from "./frames";

// An engine in Flowise's words that costs next to nothing: every answer is made before the first request comes.
const json = { "content-type": "application/json" };
const text = (id: string) => JSON.stringify({ text: "An answer of an ordinary length, as a support assistant would give it to somebody who asked.", question: "hello", chatId: "c", chatMessageId: "7d1f5c92-0b3c-4a3e-9f6f-2a7c5a9f0b01", sessionId: "c", isStreamValid: false, flow: id });
const answers = new Map(benchFlows.map((flow) => [`/api/v1/prediction/${flow.id}`, { flow, body: Buffer.from(text(flow.id)) }]));
const listing = JSON.stringify(benchFlows.map(({ id, name }) => ({ id, name, flowData: JSON.stringify({ nodes: [], edges: [] }), deployed: true, isPublic: false, type: "CHATFLOW", createdDate: "2026-10-01T09:00:00.000Z", updatedDate: "2026-10-01T09:00:00.000Z" })));

/** One timer for all streams: a thousand of them would be this process's own load. */
const open = new Set<{ response: ServerResponse; sent: number; flow: BenchFlow }>();
setInterval(() => {
  for (const stream of open) {
    const token = stream.sent < (stream.flow.tokens ?? 0) ? tokenFrames[stream.sent++] : undefined;
    if (token) stream.response.write(token);
    else {
      open.delete(stream);
      stream.response.end(lastFrame);
    }
  }
}, 100);

function predict(request: IncomingMessage, response: ServerResponse, { flow, body }: { flow: BenchFlow; body: Buffer }): void {
  let asked = "";
  request.on("data", (chunk: Buffer) => { asked += chunk.toString("latin1"); });
  request.on("end", () => {
    if (!asked.includes('"streaming":true')) {
      response.writeHead(200, { ...json, "content-length": body.length }).end(body);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(firstFrame);
    if (flow.tokens === undefined) {
      response.end(Buffer.concat([frameOf("token", "all at once"), lastFrame]));
      return;
    }
    const stream = { response, sent: 0, flow };
    open.add(stream);
    response.once("close", () => open.delete(stream));
  });
}

const server = createServer((request, response) => {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const answer = answers.get(path);
  if (answer) predict(request, response, answer);
  else if (path === "/api/v1/chatflows") response.writeHead(200, json).end(listing);
  else if (path.startsWith("/api/v1/chatflows-streaming/")) response.writeHead(200, json).end('{"isStreaming":true}');
});
server.listen(Number(process.env.PEER_PORT), "127.0.0.1", 4096, () => process.send?.("ready"));
server.keepAliveTimeout = 60_000;
process.on("disconnect", () => process.exit(0));
