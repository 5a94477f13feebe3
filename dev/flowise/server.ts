import { createHash, randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { BadRequest, type Call, CallLog, listenOnLoopback, parseBody, pathOf, readBody, sendJson } from "../lib/calls";
import { Faults, pause } from "../lib/faults";
import { boundKeyId, demoFlows, type Flow, workspaceId } from "./flows";
import { type Event, FlowFailure, Memory, plainAnswer, type Question, streamedAnswer } from "./run";

export type FlowiseOptions = {
  port?: number; serviceKey: string; boundKey?: string;
  /** Set: predictions that carry a JWT are judged by the realm's keys, as a checking proxy in front of Flowise does. */
  issuer?: string; audience?: string;
  stateFile?: string; heartbeatMs?: number;
};
export type Flowise = { url: string; origin: string; close(): Promise<void> };

type Asked = { req: IncomingMessage; res: ServerResponse; path: string; query: URLSearchParams; body: unknown; call: Call };
const spa = "<!doctype html><html><head><title>Flowise</title></head><body><div id=\"root\"></div></body></html>";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Paths that Flowise answers without authentication (its public list, as far as it is served here). */
const publicPaths = ["/prediction/", "/chatflows-streaming", "/chatflows-uploads", "/public-chatbotConfig", "/chatmessage/abort", "/ping", "/version"];

/** Flowise 3.1.4 as its contract describes it, its oddities included. */
export async function startFlowise(options: FlowiseOptions): Promise<Flowise> {
  const calls = new CallLog();
  const faults = new Faults(15);
  const memory = new Memory();
  const streams = new Map<string, { res: ServerResponse; aborted: boolean }>();
  const open = new Set<ServerResponse>();
  const counts = new Map<string, number[]>();
  const boundKey = options.boundKey ?? randomUUID();
  const keys = options.issuer ? createRemoteJWKSet(new URL(`${options.issuer}/protocol/openid-connect/certs`), { cooldownDuration: 1000 }) : null;
  const flows = new Map(stored(options.stateFile).map((flow) => [flow.id, flow]));

  const save = () => {
    if (!options.stateFile) return;
    writeFileSync(`${options.stateFile}.new`, JSON.stringify([...flows.values()]), { mode: 0o600 });
    renameSync(`${options.stateFile}.new`, options.stateFile);
  };
  const wire = ({ behaviour: _behaviour, ...flow }: Flow) => ({ ...flow, webhookSecretConfigured: false });
  const fail = (res: ServerResponse, statusCode: number, message: string) => sendJson(res, statusCode, { statusCode, success: false, message, stack: {} });

  /** Section 2.1 of the contract, in its order. Returns true when the request may go on. */
  const authenticated = ({ req, res, path }: Asked): boolean => {
    if (publicPaths.some((p) => path.startsWith(`/api/v1${p}`))) return true;
    if (req.headers["x-request-from"] === "internal") {
      sendJson(res, 401, { message: "Invalid or Missing token" });
      return false;
    }
    const sent = (req.headers.authorization ?? "").replace(/^Bearer /, "");
    if (sent === options.serviceKey || sent === boundKey) return true;
    sendJson(res, 401, { error: "Unauthorized Access" });
    return false;
  };

  /** Whether a JWT that came along is good for Flowise alone; true when none came or nobody checks. */
  const tokenAccepted = async ({ req }: Asked): Promise<boolean> => {
    const token = /^Bearer (eyJ\S+)$/.exec(req.headers.authorization ?? "")?.[1];
    if (!token || !keys) return true;
    if (faults.nextUnauthorized()) return false;
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: options.issuer, audience: options.audience ?? "flowise", algorithms: ["RS256", "PS256", "ES256"], requiredClaims: ["exp", "sub"] });
      return !Array.isArray(payload.aud) || payload.aud.length === 1;
    } catch {
      return false;
    }
  };

  const predict = async (asked: Asked, id: string): Promise<void> => {
    const { req, res } = asked;
    const body = (typeof asked.body === "object" && asked.body !== null ? asked.body : {}) as Record<string, unknown>;
    const streaming = body.streaming === true || body.streaming === "true";
    if (!(await tokenAccepted(asked))) return sendJson(res, 401, { error: "Unauthorized Access" });
    const flow = flows.get(id);
    // Errors before the headers of a stream get no reply at all: the connection stays open.
    if (!flow) return streaming ? undefined : fail(res, uuid.test(id) ? 404 : 500, `Error: predictionsServices.buildChatflow - Chatflow ${id} not found`);
    if (limited(flow)) return void res.writeHead(429, { "content-type": "text/html; charset=utf-8", "retry-after": "60" }).end("Slow down, please");
    const ofBody = body.overrideConfig as Record<string, unknown> | undefined;
    if ([body.chatId, ofBody?.sessionId].some((v) => v !== undefined && typeof v !== "string")) return streaming ? undefined : fail(res, 500, "Error: predictionsServices.buildChatflow - chatId must be a string");
    const chatId = typeof body.chatId === "string" ? body.chatId : randomUUID();
    const mayOverride = (JSON.parse(flow.apiConfig ?? "{}") as { overrideConfig?: { status?: boolean } }).overrideConfig?.status === true;
    const question: Question = { question: body.question, chatId, sessionId: typeof ofBody?.sessionId === "string" ? ofBody.sessionId : chatId, overrideConfig: mayOverride ? ofBody : undefined };
    const unauthorized = flow.apikeyid !== null && req.headers.authorization !== `Bearer ${flow.apikeyid === boundKeyId ? boundKey : ""}`;
    if (streaming && canStream(flow)) return unauthorized ? refuseStream(res) : stream(res, flow, question);
    if (unauthorized) return fail(res, 500, "Error: predictionsServices.buildChatflow - Unauthorized");
    if (flow.behaviour === "silent") return;
    try {
      await pause(faults.chunkDelayMs);
      sendJson(res, 200, plainAnswer(flow, question, memory));
    } catch (error) {
      if (!(error instanceof FlowFailure)) throw error;
      if (!streaming) fail(res, 500, error.message);
    }
  };

  const limited = (flow: Flow): boolean => {
    const limit = (JSON.parse(flow.apiConfig ?? "{}") as { rateLimit?: { status?: boolean; limitMax?: number; limitDuration?: number } }).rateLimit;
    if (!limit?.status) return false;
    const since = Date.now() - (limit.limitDuration ?? 60) * 1000;
    const recent = (counts.get(flow.id) ?? []).filter((at) => at > since);
    if (recent.length >= (limit.limitMax ?? 0)) return true;
    counts.set(flow.id, [...recent, Date.now()]);
    return false;
  };

  const openStream = (res: ServerResponse) => {
    res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", connection: "keep-alive", "x-accel-buffering": "no" });
    res.flushHeaders();
    open.add(res);
    res.once("close", () => open.delete(res));
  };
  const frame = ({ event, data }: Event) => `message:\ndata:${JSON.stringify({ event, data })}\n\n`;
  const end = frame({ event: "end", data: "[DONE]" });

  const refuseStream = (res: ServerResponse) => {
    openStream(res);
    res.end(frame({ event: "error", data: "Error: predictionsServices.buildChatflow - Unauthorized" }) + end);
  };

  /** Runs to its end whether or not somebody listens; a later stream of the same chat takes the slot over and this one falls silent. */
  const stream = async (res: ServerResponse, flow: Flow, question: Question): Promise<void> => {
    if (flow.behaviour === "silent") return;
    openStream(res);
    const slot = { res, aborted: false };
    streams.set(question.chatId, slot);
    const mine = () => streams.get(question.chatId) === slot;
    for (const event of streamedAnswer(flow, question, memory)) {
      await pause(faults.chunkDelayMs);
      if (event === null) return;
      if (slot.aborted && flow.type === "AGENTFLOW") {
        if (mine()) res.write(frame({ event: "agentFlowEvent", data: "ERROR" }) + frame({ event: "error", data: "Error: predictionsServices.buildChatflow - Error in LLM node: This operation was aborted" }));
        break;
      }
      if (mine() && !res.destroyed) res.write(frame(event));
    }
    if (!mine()) return;
    streams.delete(question.chatId);
    if (!res.destroyed) res.end(end);
  };

  const list = ({ req, res, query }: Asked) => {
    const type = query.get("type");
    const known = ["CHATFLOW", "AGENTFLOW", "MULTIAGENT", "ASSISTANT"];
    const all = [...flows.values()].filter((f) => !type || !known.includes(type) || f.type === type).sort((a, b) => b.updatedDate.localeCompare(a.updatedDate)).map(wire);
    const page = Number(query.get("page") ?? 0);
    const limit = Number(query.get("limit") ?? 0);
    if (page < 0 || limit < 0) return fail(res, 412, "Error: page and limit must not be negative");
    const body = page >= 1 && limit >= 1 ? { data: all.slice((page - 1) * limit, page * limit), total: all.length } : all;
    const etag = `W/"${createHash("sha1").update(JSON.stringify(body)).digest("base64url")}"`;
    res.setHeader("etag", etag);
    if (req.headers["if-none-match"] === etag) return void res.writeHead(304).end();
    sendJson(res, 200, body);
  };

  const change = (asked: Asked, id: string | null) => {
    const { req, res } = asked;
    const existing = id ? flows.get(id) : undefined;
    if (id && !existing) return req.method === "DELETE" ? fail(res, 500, `Error: Chatflow ${id} not found`) : fail(res, uuid.test(id) ? 404 : 400, `Error: Chatflow ${id} not found`);
    if (req.method === "GET" && existing) return sendJson(res, 200, wire(existing));
    if (req.method === "DELETE" && existing) {
      flows.delete(existing.id);
      save();
      return sendJson(res, 200, { raw: [], affected: 1 });
    }
    const given = (asked.body ?? {}) as Partial<Flow>;
    const now = `${new Date().toISOString().slice(0, 19)}.000Z`;
    if (!existing && !["CHATFLOW", "AGENTFLOW"].includes(String(given.type))) return fail(res, 400, "Error: Invalid chatflow type");
    if (!existing && (!given.name || typeof given.flowData !== "string")) return fail(res, 500, "Error: name and flowData are required");
    const { id: _i, createdDate: _c, updatedDate: _u, workspaceId: _w, behaviour: _b, ...fields } = given;
    const flow: Flow = { ...(existing ?? { id: randomUUID(), name: "", flowData: "{}", deployed: null, isPublic: null, apikeyid: null, chatbotConfig: null, apiConfig: null, analytic: null, speechToText: null, textToSpeech: null, followUpPrompts: null, mcpServerConfig: null, category: null, type: "CHATFLOW", createdDate: now, workspaceId, behaviour: "echo" }), ...fields, updatedDate: now };
    flows.set(flow.id, flow);
    save();
    sendJson(res, 200, { ...wire(flow), webhookSecret: null });
  };

  const route = async (asked: Asked): Promise<void> => {
    const { req, res, path } = asked;
    const failure = faults.nextFailure();
    if (failure) {
      if (failure.retryAfter !== undefined) res.setHeader("retry-after", String(failure.retryAfter));
      return failure.body !== undefined ? sendJson(res, failure.status, failure.body) : fail(res, failure.status, "Error: injected");
    }
    if (!path.startsWith("/api/v1/")) return path.toLowerCase().startsWith("/api/v1/") ? sendJson(res, 401, { error: "Unauthorized Access" }) : void res.writeHead(200, { "content-type": "text/html" }).end(spa);
    if (!authenticated(asked)) return;
    const [, resource = "", id = "", third = ""] = /^\/api\/v1\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?/.exec(path) ?? [];
    const at = `${req.method} ${resource}`;
    if (at === "GET ping") return void res.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("pong");
    if (at === "GET version") return sendJson(res, 200, { version: "3.1.4" });
    if (at === "POST prediction" && id) return predict(asked, id);
    if (at === "GET chatflows" && id === "apikey") return third === options.serviceKey || third === boundKey ? sendJson(res, 200, [...flows.values()].filter((f) => (third === boundKey ? f.apikeyid === boundKeyId : false) || (!f.apikeyid && asked.query.get("keyonly") !== "true")).map(wire)) : void res.writeHead(401).end("Unauthorized");
    if (at === "GET chatflows" && !id) return list(asked);
    if (at === "POST chatflows" && !id) return change(asked, null);
    if (resource === "chatflows" && id && ["GET", "PUT", "DELETE"].includes(req.method ?? "")) return change(asked, id);
    if (at === "GET apikey") return sendJson(res, 200, [{ id: boundKeyId, apiKey: boundKey, apiSecret: "", keyName: "bound", permissions: ["chatflows:view"], updatedDate: "2026-10-01T09:00:00.000Z", workspaceId, chatFlows: [] }]);
    if (at === "GET chatflows-streaming" && id) {
      const flow = flows.get(id);
      return flow ? sendJson(res, 200, { isStreaming: canStream(flow) }) : fail(res, 500, `Error: chatflowsService.checkIfChatflowIsValidForStreaming - Chatflow ${id} not found`);
    }
    if (at === "GET chatflows-uploads" && id) return flows.has(id) ? sendJson(res, 200, { isSpeechToTextEnabled: false, isImageUploadAllowed: false, isRAGFileUploadAllowed: false, imgUploadSizeAndTypes: [], fileUploadSizeAndTypes: [] }) : fail(res, 500, `Error: Chatflow ${id} not found`);
    if (at === "GET public-chatbotConfig" && id) {
      const flow = flows.get(id);
      return flow ? sendJson(res, 200, { ...(JSON.parse(flow.chatbotConfig ?? "{}") as object), uploads: {}, flowData: flow.flowData, isTTSEnabled: false }) : fail(res, 500, `Error: Chatflow ${id} not found`);
    }
    if (req.method === "PUT" && resource === "chatmessage" && id === "abort") {
      const slot = streams.get(path.split("/").at(-1) ?? "");
      if (slot) slot.aborted = true;
      return sendJson(res, 200, { status: 200, message: "Chat message aborted" });
    }
    // Unknown paths get the web interface, with status 200.
    res.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(spa);
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (calls.handle(req, res)) return;
    const raw = await readBody(req, 50_000_000);
    const body = parseBody(raw, req.headers["content-type"]);
    const path = pathOf(req);
    if (path === "/__control" && req.method === "POST") {
      const wrong = faults.apply(raw);
      return sendJson(res, wrong ? 400 : 200, wrong ? { error: wrong } : { ok: true });
    }
    const call = calls.record(req, res, body);
    await pause(faults.delayMs);
    if (raw.length && typeof body === "string" && /json/.test(req.headers["content-type"] ?? "")) return fail(res, 400, "Unexpected token in JSON");
    await route({ req, res, path, query: new URL(req.url ?? "/", "http://x").searchParams, body, call });
  };

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      if (error instanceof BadRequest) return fail(res, error.status, error.message);
      if (!res.headersSent && !res.destroyed) fail(res, 500, "Error: internal");
    });
  });
  // One timer for all streams, so the first heartbeat may come right after a start.
  const heart = setInterval(() => open.forEach((res) => res.write(":heartbeat\n\n")), options.heartbeatMs ?? 30_000);
  const port = await listenOnLoopback(server, options.port ?? 0);
  const origin = `http://localhost:${port}`;
  return {
    origin, url: origin,
    close: () => new Promise((done) => {
      clearInterval(heart);
      server.close(() => done());
      server.closeAllConnections();
    }),
  };
}

function canStream(flow: Flow): boolean {
  return flow.behaviour !== "no-streaming";
}

/** The demo's flows keep their ids and behaviour; what was created or changed comes from the file. */
function stored(file: string | undefined): Flow[] {
  if (!file || !existsSync(file)) return demoFlows();
  return JSON.parse(readFileSync(file, "utf8")) as Flow[];
}

