import type { HttpBindings } from "@hono/node-server";
import { createRoute, OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context as HonoContext } from "hono";
import { type Context, type Permission } from "@/lib/access";
import { env } from "@/lib/platform/env";
import { isSluiceError, notFound, SluiceError } from "@/lib/platform/errors";
import { readWithin } from "@/lib/platform/within";
import { confirmAdministrator } from "@/lib/tenants";
import { accepts } from "./accepts";
import { requestHeader } from "./headers";
import { idempotencyKeyOf, onceByName } from "./idempotency";
import { type Caller, type Credentials, identify } from "./identify";
import { learnCaller, unknownRoute } from "./learn-caller";
import { failed, observed } from "./observed";
import { parseInput, parseJson } from "./parse";
import { readBody } from "./read-body";
import { needsFresh } from "./require-fresh";

/** `Bindings` are there when our own door serves (`server.ts`), and absent inside Next.js. */
export type ApiEnv = { Bindings: Partial<HttpBindings>; Variables: { caller: Caller; actor?: string; /** Fulfilled when a streamed answer has ended and its credits are settled. */ streamed?: Promise<void> } };
export type ApiContext = HonoContext<ApiEnv>;
export type ApiApp = OpenAPIHono<ApiEnv>;

type Schema = z.ZodType;
type Method = "get" | "post" | "put" | "patch" | "delete";

export type RouteSpec<Path extends string, P extends Schema, Q extends Schema, B extends Schema> = {
  method: Method;
  /** Hono's form, `/keys/:id`. */
  path: Path;
  tag: string;
  summary: string;
  description?: string;
  /** "none": open to everybody, and then the verb is given the caller instead of a context. "optional": either, by what the call brings in its headers. */
  credential?: "any" | "none" | "optional";
  /** Asked in the same check that identifies the caller, before limits are taken. */
  permission?: Permission;
  params?: P;
  query?: Q;
  body?: B;
  /** The fields of a form (`application/x-www-form-urlencoded`) that the handler reads itself. */
  form?: Schema;
  /** The door is made for other people's clients: it may be called without a body. */
  bodyOptional?: boolean;
  /** A browser session must have proved who is there a short while ago. What administrators change wants that anyway; see `require-fresh.ts`. */
  fresh?: boolean;
  /** The operator's `ADMIN_TOKEN` is accepted here as well; what it may do the verb decides. */
  bootstrap?: boolean;
  /** It creates something or spends credits, so a caller may want to name the attempt. */
  creates?: boolean;
  /** A GET that is answered by an engine, which has a deadline of its own; others are answered from our stores within `readMs`. */
  asksEngine?: boolean;
  /** Uploads may ride in the body: `UPLOAD_LIMIT` holds instead of `BODY_LIMIT`. */
  uploads?: boolean;
  answers: { status: number; description: string; schema?: Schema; type?: string; /** As server-sent events instead, where the caller asks for them. */ streams?: true }[];
};

export type RouteInput<P extends Schema, Q extends Schema, B extends Schema> = { params: z.output<P>; query: z.output<Q>; body: z.output<B> };

const eventStream = "text/event-stream";

/** A store that takes longer for a read counts as away. Changes have no such end: whether they happened must be known. */
const readMs = 5000;

type None = z.ZodUndefined;

/** What a route asks of its caller. */
type Needs = { permission?: Permission };

/** All routes by path and method, so that a known path with another method answers 405 and not 404. */
const known: { path: string; pattern: RegExp; methods: Map<string, Needs> }[] = [];

/**
 * Declares a route: its schemas parse the request and grow into the OpenAPI document, so the two cannot drift. The order
 * is the contract's: who calls, may they, limits, and only then the input.
 */
export function route<Path extends string, P extends Schema = None, Q extends Schema = None, B extends Schema = None>(
  app: ApiApp,
  spec: RouteSpec<Path, P, Q, B> & { credential: "none" },
  handler: (caller: Caller, input: RouteInput<P, Q, B>, c: ApiContext) => Promise<Response> | Response,
): void;
export function route<Path extends string, P extends Schema = None, Q extends Schema = None, B extends Schema = None>(
  app: ApiApp,
  spec: RouteSpec<Path, P, Q, B> & { credential: "optional" },
  handler: (who: Context | Caller, input: RouteInput<P, Q, B>, c: ApiContext) => Promise<Response> | Response,
): void;
export function route<Path extends string, P extends Schema = None, Q extends Schema = None, B extends Schema = None>(
  app: ApiApp,
  spec: RouteSpec<Path, P, Q, B>,
  handler: (ctx: Context, input: RouteInput<P, Q, B>, c: ApiContext) => Promise<Response> | Response,
): void;
export function route(app: ApiApp, spec: RouteSpec<string, Schema, Schema, Schema>, handler: (who: never, input: never, c: ApiContext) => Promise<Response> | Response): void {
  app.openAPIRegistry.registerPath(document(spec));
  remember(spec);
  const types = [...new Set(spec.answers.flatMap(({ type, streams }) => [...(type ? [type] : []), ...(streams ? [eventStream] : [])]))];
  app.on(spec.method.toUpperCase(), spec.path, observed(async (c) => {
    const caller = c.get("caller");
    let who: Context | Caller = caller;
    const credentials = credentialsOf(c);
    if (spec.credential !== "none" && (spec.credential !== "optional" || bringsAny(credentials))) {
      const ctx = await identify(credentials, caller, spec.permission, spec.bootstrap ? { method: c.req.method, path: c.req.path } : undefined);
      who = ctx;
      c.set("actor", actorForLog(ctx));
      if (needsFresh(spec)) {
        ctx.requireFresh?.();
        await confirmAdministrator(ctx);
      }
    }
    if (!accepts(requestHeader(c, "accept"), types)) throw new SluiceError("not_acceptable", `This address answers ${["application/json", ...types].join(" or ")}. Change the Accept header.`);
    const key = spec.creates ? idempotencyKeyOf(c) : null;
    const params = spec.params ? parsePath(spec.params, c.req.param()) : undefined;
    const query = spec.query ? parseInput(spec.query, queryOf(c), "/query") : undefined;
    const text = spec.body ? await readBody(c, spec.uploads ? env().UPLOAD_LIMIT : env().BODY_LIMIT) : "";
    const input = { params, query, body: spec.body ? parseInput(spec.body, jsonOf(c, text, spec)) : undefined };
    if (spec.method === "get" && !spec.asksEngine) return readWithin(readMs, Promise.resolve(handler(who as never, input as never, c)));
    if (key === null || spec.credential === "none") return handler(who as never, input as never, c);
    return onceByName(c, who as Context, { key, body: text }, (ctx) => handler(ctx as never, input as never, c));
  }, spec.path));
}

/** A GET beside the document's grammar: an old probe's address, a browser's hop. Who calls is not asked, or by the handler itself. */
export function plainGet(app: ApiApp, path: string, handler: (c: ApiContext) => Response | Promise<Response>): void {
  remember({ method: "get", path });
  app.get(path, observed(handler));
}

/** The envelope of contract section 2. */
export function success(c: ApiContext, data: unknown, options: { status?: 200 | 201 | 202; message?: string; page?: { nextCursor: string | null; limit: number; total?: number } } = {}): Response {
  return c.json({ status: "success", data, ...(options.page && { page: options.page }), ...(options.message && { message: options.message }) }, options.status ?? 200);
}

export function newApi(): ApiApp {
  // A trailing slash must not redirect, nor be another address: Flowise's clients send it.
  const app = new OpenAPIHono<ApiEnv>({ strict: false });

  app.onError(failed);
  app.notFound(observed(async (c) => {
    // A fixed path shares its address with a pattern (`/keys/verify` and `/keys/:id`): both answer there, each with its methods.
    const others = new Set(entriesAt(c.req.path).flatMap(({ methods }) => [...methods.keys()]));
    const allow = [...others].flatMap((m) => (m === "GET" ? ["GET", "HEAD"] : [m])).join(", ");
    // Asked without a credential, by a client that looks before it calls.
    if (others.size > 0 && c.req.method === "OPTIONS") return c.body(null, 204, { Allow: `${allow}, OPTIONS` });
    const ctx = await learnCaller(credentialsOf(c), c.get("caller"));
    if (ctx) c.set("actor", actorForLog(ctx));
    if (others.size > 0) {
      throw new SluiceError("method_not_allowed", `This address answers ${allow}.`, { headers: { Allow: allow } });
    }
    throw notFound("There is nothing at this address.");
  }, (c) => entriesAt(c.req.path)[0]?.path ?? unknownRoute));
  return app;
}

function remember(spec: { method: string; path: string; permission?: Permission }): void {
  const pattern = new RegExp(`^${spec.path.replaceAll(".", "\\.").replace(/:[A-Za-z]+(\{[^}]*\})?/g, "[^/]+")}/?$`);
  const needs = { ...(spec.permission && { permission: spec.permission }) };
  const found = known.find((entry) => entry.pattern.source === pattern.source);
  if (found) found.methods.set(spec.method.toUpperCase(), needs);
  else known.push({ path: spec.path, pattern, methods: new Map([[spec.method.toUpperCase(), needs]]) });
}

/** What has been declared at this path, fixed paths before patterns. */
function entriesAt(path: string): typeof known {
  const isPattern = ({ pattern }: (typeof known)[number]) => pattern.source.includes("[^/]+");
  return known.filter(({ pattern }) => pattern.test(path)).sort((a, b) => Number(isPattern(a)) - Number(isPattern(b)));
}

/** What a call would need, by the routes that have been declared; null when nothing answers it. */
export function neededFor(method: string, path: string): Needs | null {
  return entriesAt(path).find(({ methods }) => methods.has(method))?.methods.get(method) ?? null;
}

function document(spec: RouteSpec<string, Schema, Schema, Schema>): RouteConfig {
  const content = (schema: Schema, type = "application/json") => ({ [type]: { schema } });
  const responses: RouteConfig["responses"] = Object.fromEntries(spec.answers.map((a) => [a.status, { description: a.description, ...((a.schema ?? a.type) && { content: { ...content(a.schema ?? z.string(), a.type), ...(a.streams && content(z.string(), eventStream)) } }) }]));
  responses.default = problemResponse;
  return createRoute({
    method: spec.method,
    path: spec.path.replace(/:([A-Za-z]+)(\{[^}]*\})?/g, "{$1}"),
    tags: [spec.tag],
    summary: spec.summary,
    ...(spec.description && { description: spec.description }),
    ...(spec.permission && { "x-permission": spec.permission }),
    security: spec.credential === "none" ? [] : [...(spec.credential === "optional" ? [{}] : []), { apiKey: [] }, { bearer: [] }, { session: [] }],
    request: {
      ...(spec.creates && { headers: IdempotencyHeader }),
      ...(spec.params && { params: spec.params as z.ZodObject }),
      ...(spec.query && { query: spec.query as z.ZodObject }),
      ...(spec.body && { body: { required: !spec.bodyOptional, content: content(spec.body) } }),
      ...(spec.form && { body: { required: true, content: content(spec.form, "application/x-www-form-urlencoded") } }),
    },
    responses,
  });
}

const IdempotencyHeader = z.object({ "Idempotency-Key": z.string().max(255).optional().openapi({ description: "Names the attempt: for 24 hours the same name and body give the first answer again, with `Idempotency-Replayed: true`." }) });

export const ProblemDocument = z.object({
  type: z.string(), title: z.string(), status: z.int(), detail: z.string(), instance: z.string(), code: z.string(), requestId: z.string(), error: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
}).openapi("Problem");

/** What every route answers when it does not do what was asked. */
export const problemResponse = { description: "A problem (RFC 9457).", content: { "application/problem+json": { schema: ProblemDocument } } };

/** A cookie comes along by itself, but only a page of ours could have meant it. */
function bringsAny({ apiKey, authorization, cookie, origin }: Credentials): boolean {
  return apiKey !== null || authorization !== null || (cookie !== null && origin === new URL(env().AUTH_URL).origin);
}

function credentialsOf(c: ApiContext): Credentials {
  return {
    apiKey: requestHeader(c, "x-api-key") ?? null,
    authorization: requestHeader(c, "authorization") ?? null,
    cookie: requestHeader(c, "cookie") ?? null,
    origin: requestHeader(c, "origin") ?? null,
    safe: ["GET", "HEAD", "OPTIONS"].includes(c.req.method),
    referer: requestHeader(c, "referer") ?? null,
  };
}

/** An id that cannot be one names nothing, however it is written. @throws SluiceError `not_found` */
function parsePath<S extends Schema>(schema: S, given: unknown): z.output<S> {
  try {
    return parseInput(schema, given, "/path");
  } catch (error) {
    // An email in a path is input, which a person may have typed wrong.
    const isId = isSluiceError(error, "validation_failed") && error.options.errors?.every(({ pointer }) => pointer !== "/path/email");
    throw isId ? notFound("There is nothing at this address.") : error;
  }
}

function queryOf(c: ApiContext): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(c.req.queries()).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? "") : values]));
}

function jsonOf(c: ApiContext, text: string, spec: { bodyOptional?: boolean }): unknown {
  const type = requestHeader(c, "content-type");
  if (text === "" && spec.bodyOptional) return {};
  if (!type || !/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) throw new SluiceError("unsupported_media_type", "Send the body as application/json.");
  return parseJson(text);
}

function actorForLog(ctx: Context): string {
  const { actor } = ctx;
  if (actor.type === "apiKey") return `apiKey:${actor.apiKeyId}`;
  return actor.type === "user" ? `user:${actor.person.userId}` : actor.type;
}
