import { apiKey } from "@better-auth/api-key";
import { serve } from "@hono/node-server";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { Hono } from "hono";
import { Redis } from "ioredis";
import pg from "pg";

// better-auth's API-key plugin behind Hono, checked with its own server call. It has one limit per key and writes no
// log of calls, so its part is the lighter one. Its usual limit of 10 calls a day is set as wide as ours, and on.
const onRedis = process.env.PEER_STORE === "redis";
const redis = onRedis ? new Redis(process.env.PEER_REDIS ?? "", { keyPrefix: "better-auth:" }) : null;
const auth = betterAuth({
  baseURL: "http://127.0.0.1", secret: "a secret of the benchmark alone, of no worth", database: new pg.Pool({ connectionString: process.env.PEER_DATABASE, max: 10 }),
  ...(redis && {
    secondaryStorage: {
      get: (key) => redis.get(key),
      getAndDelete: (key) => redis.getdel(key),
      increment: async (key, ttlSeconds) => {
        const count = await redis.incr(key);
        if (count === 1) await redis.expire(key, ttlSeconds);
        return count;
      },
      set: async (key, value, ttlSeconds) => { await (ttlSeconds ? redis.set(key, value, "EX", ttlSeconds) : redis.set(key, value)); },
      delete: async (key) => { await redis.del(key); },
    },
  }),
  plugins: [apiKey({ storage: onRedis ? "secondary-storage" : "database", rateLimit: { enabled: true, timeWindow: 3_600_000, maxRequests: 1_000_000 } })],
  rateLimit: { enabled: false }, telemetry: { enabled: false }, emailAndPassword: { enabled: true }, logger: { disabled: true },
});
await (await getMigrations(auth.options)).runMigrations();
const { user } = await auth.api.signUpEmail({ body: { email: `${process.env.PEER_STORE}@bench.test`, password: "a password of the benchmark", name: "bench" } });
const keys: string[] = [];
for (let i = 0; i < Number(process.env.PEER_KEYS); i++) keys.push((await auth.api.createApiKey({ body: { userId: user.id, name: "bench" } })).key);

const answer = JSON.parse(process.env.PEER_ANSWER ?? "{}") as object;
const app = new Hono();
app.get("/keys", (c) => c.json(keys));
app.get("/", async (c) => {
  const { valid, error } = await auth.api.verifyApiKey({ body: { key: c.req.header("x-api-key") ?? "" } });
  return valid ? c.json(answer) : c.json({ code: error?.code ?? "refused" }, 401);
});
serve({ fetch: app.fetch, port: Number(process.env.PEER_PORT), hostname: "127.0.0.1" }, () => process.send?.("ready"));
process.on("disconnect", () => process.exit(0));
