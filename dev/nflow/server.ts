import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { BadRequest, CallLog, listenOnLoopback, parseBody, pathOf, readBody, sendJson } from "../lib/calls";
import { Faults, pause } from "../lib/faults";
import { Applications, type Answer } from "./applications";
import { bodyProblems } from "./schemas";

export type NflowOptions = { port?: number; issuer: string; audience?: string; /** Absent: nothing survives the process. */ stateFile?: string };
export type Nflow = { url: string; origin: string; close(): Promise<void> };

/** Whom a verified token belongs to. */
export type Caller = { sub: string; username: string; organisation: string; role: "admin" | "user" | "viewer" | null };

const refId = () => `ref-${randomUUID().slice(0, 8)}`;
const refusal = (status: number, ...errors: string[]): Answer => ({ status, body: { refId: refId(), errors } });

/** NFlow's stand-in: state per organisation, driven by the OpenAPI document, and every token checked by its signature. */
export async function startNflow(options: NflowOptions): Promise<Nflow> {
  const audience = options.audience ?? "nflow";
  const keys = createRemoteJWKSet(new URL(`${options.issuer}/protocol/openid-connect/certs`), { cooldownDuration: 1000 });
  const calls = new CallLog();
  const faults = new Faults();
  const applications = new Applications(options.stateFile && existsSync(options.stateFile) ? JSON.parse(readFileSync(options.stateFile, "utf8")) : {});

  /** Its own audience, alone: a token that also names somebody else could be used there. */
  const callerOf = async (req: IncomingMessage): Promise<Caller | null> => {
    const token = /^Bearer (\S+)$/.exec(req.headers.authorization ?? "")?.[1];
    if (!token) return null;
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: options.issuer, audience, algorithms: ["RS256", "PS256", "ES256"], requiredClaims: ["exp", "sub"] });
      if (Array.isArray(payload.aud) && payload.aud.length !== 1) return null;
      const roles = new Set(Array.isArray(payload.roles) ? payload.roles : []);
      const groups = Array.isArray(payload.groups) ? payload.groups : [];
      return { sub: payload.sub ?? "", username: String(payload.preferred_username ?? ""), organisation: String(groups[0] ?? "/none").slice(1), role: (["admin", "user", "viewer"] as const).find((r) => roles.has(r)) ?? null };
    } catch {
      return null;
    }
  };

  const answer = async (req: IncomingMessage, body: unknown): Promise<Answer> => {
    const failure = faults.nextFailure();
    if (failure) return { status: failure.status, body: failure.body ?? { refId: refId(), errors: ["INJECTED"] }, ...(failure.retryAfter !== undefined && { retryAfter: failure.retryAfter }) };
    if (faults.nextUnauthorized()) return refusal(401, "UNAUTHORIZED");
    const caller = await callerOf(req);
    if (!caller) return refusal(401, "UNAUTHORIZED");
    const operation = operations.find((o) => o.method === req.method && o.pattern.test(pathOf(req)));
    if (!operation) return refusal(404, "NOT_FOUND");
    if (!caller.role || (operation.writes && caller.role === "viewer")) return refusal(403, "FORBIDDEN");
    if (typeof body === "string") return refusal(400, "MALFORMED_JSON");
    const problems = bodyProblems(operation.method, operation.template, body);
    if (problems.length) return refusal(422, ...problems);
    let name: string;
    try {
      name = decodeURIComponent(operation.pattern.exec(pathOf(req))?.[1] ?? "");
    } catch {
      return refusal(404, "NOT_FOUND");
    }
    const known = Object.keys(applications.toJSON()).length;
    const result = operation.run(applications, caller, name, (body ?? {}) as Record<string, unknown>);
    // Looking in for the first time makes an organisation, with its first application.
    if (options.stateFile && (operation.writes || Object.keys(applications.toJSON()).length > known)) {
      writeFileSync(`${options.stateFile}.new`, JSON.stringify(applications), { mode: 0o600 });
      renameSync(`${options.stateFile}.new`, options.stateFile);
    }
    return result;
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    // Who has only the address with its `/v1` finds the doors for tests below it too; neither is a call of the product.
    if (req.url?.startsWith("/v1/__")) req.url = req.url.slice("/v1".length);
    if (calls.handle(req, res)) return;
    const raw = await readBody(req, 10_000_000);
    const body = parseBody(raw, req.headers["content-type"] ?? "application/json");
    if (pathOf(req) === "/__control" && req.method === "POST") {
      const wrong = faults.apply(raw);
      return sendJson(res, wrong ? 400 : 200, wrong ? { error: wrong } : { ok: true });
    }
    calls.record(req, res, body);
    await pause(faults.delayMs);
    const { status, body: said, retryAfter } = await answer(req, body);
    if (retryAfter !== undefined) res.setHeader("retry-after", String(retryAfter));
    if (said === undefined) res.writeHead(status, { "content-length": "0" }).end();
    else sendJson(res, status, said);
  };

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      if (error instanceof BadRequest) return sendJson(res, error.status, { errors: [error.message] });
      if (!res.destroyed) sendJson(res, 500, { refId: refId(), errors: ["INTERNAL"] });
    });
  });
  const port = await listenOnLoopback(server, options.port ?? 0);
  const origin = `http://localhost:${port}`;
  return {
    origin, url: `${origin}/v1`,
    close: () => new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }),
  };
}

type Operation = { method: string; template: string; pattern: RegExp; writes: boolean; run(state: Applications, caller: Caller, name: string, body: Record<string, unknown>): Answer };

function operation(method: string, template: string, writes: boolean, run: Operation["run"]): Operation {
  return { method, template, writes, run, pattern: new RegExp(`^/v1${template.replace(/\{\w+\}/g, "([^/]+)")}$`) };
}

/** Fixed words before names: `search` is no application. Further operations of the document join here. */
const operations: Operation[] = [
  operation("POST", "/builder/apps", true, (state, caller, _name, body) => state.create(caller, body)),
  operation("POST", "/builder/apps/search", false, (state, caller, _name, body) => state.search(caller, body)),
  operation("POST", "/builder/apps/remove", true, (state, caller, _name, body) => state.setRemoved(caller, body, true)),
  operation("POST", "/builder/apps/recover", true, (state, caller, _name, body) => state.setRemoved(caller, body, false)),
  operation("GET", "/builder/apps/{name}", false, (state, caller, name) => state.get(caller, name)),
  operation("PUT", "/builder/apps/{name}", true, (state, caller, name, body) => state.update(caller, name, body)),
  operation("GET", "/builder/apps/{name}/audit-logs", false, (state, caller, name) => state.auditLogs(caller, name)),
  operation("GET", "/me", false, (_state, caller) => ({
    status: 200,
    body: { id: caller.sub, username: caller.username, isActive: true, organization: { id: 1, name: caller.organisation, displayName: caller.organisation, isLocked: false }, profile: { name: caller.role, displayName: caller.role }, role: { name: caller.role, displayName: caller.role }, division: { name: "root", displayName: "Root" } },
  })),
];

