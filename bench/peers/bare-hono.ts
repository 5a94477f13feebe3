import { serve } from "@hono/node-server";
import { Hono } from "hono";

// The least that Hono can do: one route, one JSON of the same size as ours, nothing asked and nothing written down.
const answer = JSON.parse(process.env.PEER_ANSWER ?? "{}") as object;
const app = new Hono();
app.get("/", (c) => c.json(answer));
serve({ fetch: app.fetch, port: Number(process.env.PEER_PORT), hostname: "127.0.0.1" }, () => process.send?.("ready"));
process.on("disconnect", () => process.exit(0));
