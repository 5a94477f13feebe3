import type { z } from "zod";
import { type Options, SetupError } from "./options";
import { Refusal, TokenAnswer } from "./representations";

const deadlineMs = 15_000;
/** Admin tokens live a minute by default; one is asked for anew in good time. */
const renewBeforeMs = 15_000;

type Answer = { status: number; json: unknown };

/** Which role of `realm-management` opens a path, for whoever lacks it. */
function lackingRole(method: string, path: string): string {
  const writes = method !== "GET";
  if (/^\/users\//.test(path) || /service-account-user$/.test(path)) return writes ? "manage-users" : "view-users";
  if (/^\/(clients|client-scopes)/.test(path)) return writes ? "manage-clients" : "view-clients";
  return writes ? "manage-realm" : "view-realm";
}

/** Keycloak's admin REST API for one realm. Answers are parsed, refusals become a SetupError that tells the cure. */
export class AdminApi {
  private token: string | null;
  private renewAt = Infinity;

  constructor(readonly base: string, readonly realm: string, private readonly admin: Options["admin"], token: string | null) {
    this.token = token;
  }

  /** What stands at a path of the realm, or null when nothing does. */
  async get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | null> {
    const answer = await this.call("GET", this.realmPath(path), path);
    return answer.status === 404 ? null : parsed(answer.json, schema, path);
  }

  /** What must stand at a path of the realm. */
  async need<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    const found = await this.get(path, schema);
    if (found === null) throw new SetupError(`Keycloak has nothing at ${path}`);
    return found;
  }

  /** A path of the server as a whole. */
  async server<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    return parsed((await this.call("GET", `/admin${path}`, path)).json, schema, path);
  }

  async write(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<void> {
    const answer = await this.call(method, this.realmPath(path), path, body);
    if (answer.status === 404) throw new SetupError(`Keycloak has nothing at ${path}`);
  }

  private realmPath(path: string): string {
    return `/admin/realms/${encodeURIComponent(this.realm)}${path}`;
  }

  private async call(method: string, at: string, shown: string, body?: unknown): Promise<Answer> {
    const headers = { authorization: `Bearer ${await this.bearer()}`, accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }) };
    const answer = await send(`${this.base}${at}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (answer.status < 300 || (answer.status === 404 && isAdminApi(answer))) return answer;
    if (answer.status === 401) throw new SetupError("Keycloak does not accept this administrator's token: it has ended, or is of another realm or address (issuer)");
    if (answer.status === 403) throw new SetupError(`this administrator may not ${method} ${shown || "the realm"}: the role ${lackingRole(method, shown)} of the client realm-management (in master: ${this.realm}-realm) is lacking; realm-admin has them all`);
    throw new SetupError(`Keycloak answered ${answer.status} to ${method} ${shown}: ${words(answer.json)}`);
  }

  private async bearer(): Promise<string> {
    if (this.token && Date.now() < this.renewAt) return this.token;
    const { username, password, clientId, clientSecret, realm } = this.admin;
    const form: Record<string, string> | null = clientId && clientSecret
      ? { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }
      : username && password ? { grant_type: "password", client_id: "admin-cli", username, password } : null;
    if (!form) throw new SetupError("who is asking? Set KEYCLOAK_ADMIN_USERNAME and KEYCLOAK_ADMIN_PASSWORD, or KEYCLOAK_ADMIN_CLIENT_ID and KEYCLOAK_ADMIN_CLIENT_SECRET, or pipe a token into --token-from-stdin");
    const answer = await send(`${this.base}/realms/${encodeURIComponent(realm)}/protocol/openid-connect/token`, { method: "POST", body: new URLSearchParams(form) });
    if (answer.status !== 200) throw new SetupError(loginRefusal(answer, realm, Boolean(clientId && clientSecret)));
    const token = parsed(answer.json, TokenAnswer, "the token endpoint");
    this.renewAt = Date.now() + (token.expires_in ?? 60) * 1000 - renewBeforeMs;
    return (this.token = token.access_token);
  }
}

function loginRefusal(answer: Answer, realm: string, byClient: boolean): string {
  const said = Refusal.safeParse(answer.json).data?.error;
  if (answer.status === 404) return `there is no realm ${realm} for the administrator: correct KEYCLOAK_ADMIN_REALM or KEYCLOAK_ADMIN_URL`;
  if (said === "invalid_grant") return `Keycloak refuses the administrator's name or password in the realm ${realm} (${words(answer.json)}); a second factor cannot be given here, so use a client or --token-from-stdin then`;
  if (said === "invalid_client" || said === "unauthorized_client") return byClient ? `Keycloak refuses KEYCLOAK_ADMIN_CLIENT_ID or its secret in the realm ${realm}, or its service account is off` : `the client admin-cli of the realm ${realm} takes no passwords: use a client or --token-from-stdin`;
  return `the administrator could not sign in to the realm ${realm}: ${answer.status} ${words(answer.json)}`;
}

/** Keycloak's own "not found" is JSON; a proxy's or another server's usually is not. */
function isAdminApi(answer: Answer): boolean {
  if (answer.json !== null) return true;
  throw new SetupError("no Keycloak admin API answers at this address: correct KEYCLOAK_ADMIN_URL (it ends before /admin)");
}

function words(json: unknown): string {
  const said = Refusal.safeParse(json).data;
  return [said?.error_description ?? said?.errorMessage ?? said?.error ?? "without words"].join("").slice(0, 300);
}

async function send(url: string, init: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(deadlineMs) });
    const text = await response.text();
    return { status: response.status, json: jsonOf(text) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : error instanceof Error ? error.message : String(error);
    throw new SetupError(`Keycloak does not answer at ${new URL(url).origin}: ${cause}`);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function parsed<S extends z.ZodType>(json: unknown, schema: S, path: string): z.output<S> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join(".") ?? "";
  throw new SetupError(`Keycloak's answer at ${path || "the realm"} is not what its API promises${where && ` (${where})`}`);
}
