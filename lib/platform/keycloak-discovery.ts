import { createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters } from "jose";
import { Agent, request } from "undici";
import { z } from "zod";
import { now } from "./clock";
import { env } from "./env";
import { SluiceError } from "./errors";
import { metrics } from "./metrics";

const Endpoints = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  revocation_endpoint: z.url(),
  end_session_endpoint: z.url(),
  /** Whether answers carry `iss` (RFC 9207), which must then be checked. */
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});
export type Endpoints = z.infer<typeof Endpoints>;

const KeySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) });

const discoveryDeadlineMs = 3000;
const answerBytesMax = 512 * 1024;
const freshMs = 600_000;
/** A stranger's token may name any key id, so an unknown one reads the set again at most this often. */
const unknownKeyPauseMs = 30_000;

type Cached<T> = { value: T | null; readAt: number; triedAt: number; reading: Promise<T> | null };
type State = { issuer: string; agent: Agent; /** Its clock less ours, ms, as its last answer told; null before the first. */ aheadMs: number | null; endpoints: Cached<Endpoints>; keys: Cached<ReturnType<typeof createLocalJWKSet>> };
const shared = globalThis as typeof globalThis & { sluiceKeycloak?: State };

const empty = () => ({ value: null, readAt: 0, triedAt: 0, reading: null });

function state(): State {
  const issuer = env().KEYCLOAK_ISSUER;
  if (shared.sluiceKeycloak?.issuer !== issuer) {
    shared.sluiceKeycloak = { issuer, agent: new Agent({ connect: { timeout: 2000 }, connections: 64 }), aheadMs: null, endpoints: empty(), keys: empty() };
  }
  return shared.sluiceKeycloak;
}

export type HttpAnswer = { status: number; json: unknown; retryAfterSeconds: number | null };

/** One call to the identity provider, never repeated. @throws whatever undici throws for a network failure or a missed deadline. */
export async function callIdentity(url: string, options: { method: "GET" | "POST"; deadlineMs: number; headers?: Record<string, string>; form?: URLSearchParams }): Promise<HttpAnswer> {
  const answer = await request(url, {
    method: options.method,
    dispatcher: state().agent,
    signal: AbortSignal.timeout(options.deadlineMs),
    headers: { accept: "application/json", ...(options.form && { "content-type": "application/x-www-form-urlencoded" }), ...options.headers },
    body: options.form?.toString(),
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerBytesMax) throw new Error("the identity provider's answer is too large");
    chunks.push(chunk);
  }
  const theirs = Date.parse(String(answer.headers.date));
  if (Number.isFinite(theirs)) {
    state().aheadMs = theirs - now();
    metrics.clockOffset.set(Math.round((theirs - now()) / 1000));
  }
  return { status: answer.statusCode, json: parsed(Buffer.concat(chunks).toString("utf8")), retryAfterSeconds: retryAfterOf(answer.headers["retry-after"]) };
}

/**
 * Keycloak's clock in ms, to the second as its tokens tell it: some two seconds slow at most and never fast, since its answers are dated
 * by the second too, and take a while. Null before it has answered.
 */
export function keycloakNow(): number | null {
  const { aheadMs } = state();
  return aheadMs === null ? null : Math.floor((now() + aheadMs) / 1000) * 1000;
}

/** A larger difference is a fault to repair, and no reason to believe a token that is long over. */
const forgivenOffsetMs = 300_000;

/** The time by Keycloak's clock, for what Keycloak dated. Ours, where the difference is unknown or above five minutes. */
export function keycloakDate(): Date {
  const { aheadMs } = state();
  return new Date(now() + (aheadMs !== null && Math.abs(aheadMs) <= forgivenOffsetMs ? aheadMs : 0));
}

/** Seconds, or a date (RFC 9110, 10.2.3): proxies before Keycloak send either. Null when it says nothing of the future. */
export function retryAfterOf(header: string | string[] | null | undefined): number | null {
  const said = Array.isArray(header) ? header[0] : header;
  if (!said) return null;
  const seconds = /^\d+$/.test(said) ? Number(said) : Math.ceil((Date.parse(said) - now()) / 1000);
  return seconds > 0 ? seconds : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function identityUnavailable(cause?: unknown, retryAfterSeconds = 2): SluiceError {
  return new SluiceError("identity_unavailable", "The identity service does not answer. Try again shortly.", { cause, retryAfterSeconds });
}

/** One read for all who wait; what was read before stays in use when reading again fails. */
function read<T>(cached: Cached<T>, load: () => Promise<T>): Promise<T> {
  cached.triedAt = now();
  cached.reading ??= load()
    .then((value) => {
      cached.readAt = now();
      return (cached.value = value);
    })
    .finally(() => { cached.reading = null; });
  return cached.reading;
}

async function getJson<S extends z.ZodType>(url: string, schema: S): Promise<z.output<S>> {
  try {
    const answer = await callIdentity(url, { method: "GET", deadlineMs: discoveryDeadlineMs });
    if (answer.status !== 200) throw new Error(`the identity provider answered ${answer.status}`);
    return schema.parse(answer.json);
  } catch (cause) {
    throw identityUnavailable(cause);
  }
}

/** The realm's addresses, from its discovery document. @throws SluiceError `identity_unavailable` when they were never read. */
export async function endpoints(): Promise<Endpoints> {
  const { endpoints: cached, issuer } = state();
  const load = () => getJson(`${issuer}/.well-known/openid-configuration`, Endpoints.refine((e) => e.issuer === issuer, "another issuer answers at KEYCLOAK_ISSUER"));
  if (!cached.value) return read(cached, load);
  if (now() - cached.triedAt > freshMs) read(cached, load).catch(() => undefined);
  return cached.value;
}

/** The realm's key that a token's header names. @throws SluiceError `identity_unavailable`; JWKSNoMatchingKey for an unknown one. */
export async function realmKey(header: JWSHeaderParameters | undefined) {
  const cached = state().keys;
  const load = async () => createLocalJWKSet((await getJson((await endpoints()).jwks_uri, KeySet)) as JSONWebKeySet);
  const keys = cached.value ?? (await read(cached, load));
  if (now() - cached.triedAt > freshMs) read(cached, load).catch(() => undefined);
  try {
    return await keys(header);
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey) || now() - cached.triedAt < unknownKeyPauseMs && !cached.reading) throw error;
    return (await read(cached, load))(header);
  }
}

/** Of its own connections: those of the others may all be waiting for the very Keycloak that is asked about here. */
let probeAgent: Agent | undefined;
let probing: Promise<boolean> | null = null;

/** Whether Keycloak answers anything at all within `deadlineMs`; one question for all who ask at the same time. */
export function answersAtAll(deadlineMs: number): Promise<boolean> {
  probeAgent ??= new Agent({ connect: { timeout: 2000 }, connections: 2 });
  probing ??= request(`${env().KEYCLOAK_ISSUER}/.well-known/openid-configuration`, { dispatcher: probeAgent, signal: AbortSignal.timeout(deadlineMs) })
    .then(async ({ body }) => { await body.dump(); return true; }, () => false)
    .finally(() => { probing = null; });
  return probing;
}

/** For tests, which start several identity providers in one process. */
export function forgetKeycloak(): void {
  shared.sluiceKeycloak = undefined;
}
