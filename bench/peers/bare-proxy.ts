import { type HttpBindings, serve } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { Pool } from "undici";

// The least that a proxy in Hono can do: socket to socket with undici, nothing checked, read or kept.
const engine = new Pool(process.env.PEER_ENGINE ?? "", { connections: 512 });
const hopByHop = new Set(["host", "connection", "transfer-encoding", "content-length", "keep-alive"]);
const app = new Hono<{ Bindings: HttpBindings }>();

app.all("/*", async (c) => {
  const { incoming, outgoing } = c.env;
  const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !hopByHop.has(name)));
  const body = incoming.method === "GET" ? null : incoming;
  await engine.stream({ path: incoming.url ?? "/", method: incoming.method as "GET", headers, body }, ({ statusCode, headers: answered }) => outgoing.writeHead(statusCode, answered));
  return RESPONSE_ALREADY_SENT;
});
serve({ fetch: app.fetch, port: Number(process.env.PEER_PORT), hostname: "127.0.0.1" }, () => process.send?.("ready"));
process.on("disconnect", () => process.exit(0));
