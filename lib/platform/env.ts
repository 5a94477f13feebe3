import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { KeyRing } from "./crypto";
import { BadRedisAddress, parseRedisAddress } from "./redis-address";

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Tokens and cookies cross this address, so plain http is for this machine only. */
export const secureUrl = z.string().max(500).transform((value, ctx) => {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    ctx.addIssue({ code: "custom", message: "must be an absolute URL" });
    return z.NEVER;
  }
  if (url.protocol === "http:" && !loopbackHosts.has(url.hostname)) ctx.addIssue({ code: "custom", message: "must be https (plain http is allowed on loopback only)" });
  else if (url.protocol !== "http:" && url.protocol !== "https:") ctx.addIssue({ code: "custom", message: "must be http or https" });
  if (url.username || url.password) ctx.addIssue({ code: "custom", message: "must not carry credentials" });
  return value.replace(/\/+$/, "");
});

/** Engines may live on a private network without TLS. */
const engineUrl = z.string().max(500).transform((value, ctx) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) ctx.addIssue({ code: "custom", message: "must be an http or https URL" });
  if (url?.username || url?.password) ctx.addIssue({ code: "custom", message: "must not carry credentials" });
  return value.replace(/\/+$/, "");
});

const weak = /^(secret|changeme|change-me|password|test|example|default)/i;
const secret = (min: number) => z.string().max(4096).superRefine((value, ctx) => {
  if (value.length < min) ctx.addIssue({ code: "custom", message: `must be at least ${min} characters` });
  else if (weak.test(value) || new Set(value).size < 8) ctx.addIssue({ code: "custom", message: "is too weak; make one with `openssl rand -base64 33`" });
});

/** `kid:base64(32 bytes)[,kid:…]` */
const keyRing = z.string().max(4096).transform((value, ctx): KeyRing => {
  const ring: KeyRing = [];
  for (const part of value.split(",")) {
    const at = part.indexOf(":");
    const kid = part.slice(0, at).trim();
    const key = Buffer.from(part.slice(at + 1).trim(), "base64");
    if (at < 1 || !/^[A-Za-z0-9_-]{1,20}$/.test(kid)) ctx.addIssue({ code: "custom", message: "must be kid:base64[,kid:base64]" });
    else if (key.length !== 32) ctx.addIssue({ code: "custom", message: `key ${kid} must be 32 bytes in base64` });
    else if (new Set(key).size < 8) ctx.addIssue({ code: "custom", message: `key ${kid} is too weak` });
    else if (ring.some((k) => k.kid === kid)) ctx.addIssue({ code: "custom", message: `key id ${kid} occurs twice` });
    else ring.push({ kid, key });
  }
  return ring;
});

/** One server or the Sentinels of one; see `redis-address.ts`. */
const redisUrl = z.string().max(2000).superRefine((value, ctx) => {
  try {
    parseRedisAddress(value);
  } catch (error) {
    ctx.addIssue({ code: "custom", message: error instanceof BadRedisAddress ? error.message : "cannot be read" });
  }
});

const flag = z.enum(["true", "false"]).transform((v) => v === "true");
const integer = (min: number, max: number) => z.string().regex(/^\d+$/, "must be a whole number").transform(Number).pipe(z.number().min(min).max(max));

/** `requests/seconds` */
const rate = z.string().regex(/^\d{1,7}\/\d{1,7}$/, "must be requests/seconds").transform((v) => {
  const [requests, window] = v.split("/").map(Number);
  return { requests: requests ?? 0, window: window ?? 0 };
}).refine((v) => v.requests >= 1 && v.window >= 1, "must be at least 1/1");

const list = z.string().transform((v) => v.split(",").map((s) => s.trim()).filter(Boolean));

/** `,`-separated names of Keycloak roles that mean one of ours. */
const roleNames = (role: string) => list.pipe(z.array(z.string().max(255)).min(1, "must name at least one role").max(50)).default([role]);

/** `/tenants/`: with a slash at either end, so that `/tenants` does not mean `/tenants-old` too. */
/** As OAuth 2.0 writes them (RFC 6749, section 3.3). */
const scopes = z.string().max(1000).regex(/^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/, "must be names of scopes with one space between them").default("openid");
const groupPrefix = z.string().min(1).max(400).transform((value) => `/${value.replace(/^\/+|\/+$/g, "")}/`);

/** What can be guessed opens nothing: with a shorter `ADMIN_TOKEN` the bootstrap door stays closed. Characters. */
export const adminTokenMin = 32;
/** The same for `METRICS_TOKEN`. */
export const metricsTokenMin = 32;

const schema = z.object({
  NODE_ENV: z.enum(["development", "production", "test"]).default("production"),
  PORT: integer(0, 65535).default(3000),
  HOST: z.string().max(255).optional(),
  SERVER_MODE: z.enum(["split", "single", "api", "pages"]).default("split"),
  /** Set for the two processes of `split`, by the one that starts them. */
  SLUICE_ROLE: z.literal("door").optional(),
  SLUICE_PAGES_PORT: integer(1, 65535).optional(),
  SLUICE_INNER_SECRET: z.string().min(32).optional(),
  WORKER: z.enum(["inside", "off"]).default("inside"),
  SHUTDOWN_GRACE_SECONDS: integer(0, 3600).default(25),
  /** How long the body of a request for a page may take to arrive. */
  PAGE_BODY_SECONDS: integer(1, 3600).default(30),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),

  AUTH_URL: secureUrl,
  AUTH_SECRET: secret(32),
  SESSION_KEKS: keyRing,
  VAULT_KEKS: keyRing,
  SESSION_IDLE_SECONDS: integer(60, 86400).default(1800),
  SESSION_ABSOLUTE_SECONDS: integer(300, 2592000).default(43200),
  SESSION_MAX_PER_USER: integer(1, 1000).default(10),
  /** How long ago somebody may have proved who they are when they change what matters. */
  STEP_UP_MAX_AGE_SECONDS: integer(30, 86400).default(900),
  /** Whether the sign-in page offers "Create an account". Keycloak tells no client whether its realm lets people register. */
  REGISTRATION_LINK: flag.default(false),
  NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: z.string().optional(),

  KEYCLOAK_ISSUER: secureUrl,
  KEYCLOAK_CLIENT_ID: z.string().min(1).max(255),
  KEYCLOAK_CLIENT_SECRET: z.string().min(8).max(4096),
  KEYCLOAK_MACHINE_CLIENT_ID: z.string().min(1).max(255),
  KEYCLOAK_MACHINE_CLIENT_SECRET: z.string().min(8).max(4096),
  KEYCLOAK_DIRECT_CLIENT_ID: z.string().min(1).max(255).optional(),
  KEYCLOAK_DIRECT_CLIENT_SECRET: z.string().min(8).max(4096).optional(),
  /** A service account that may read people (`view-users`): looks up whom we do not know yet. */
  KEYCLOAK_SYNC_CLIENT_ID: z.string().min(1).max(255).optional(),
  KEYCLOAK_SYNC_CLIENT_SECRET: z.string().min(8).max(4096).optional(),
  /** Whose access tokens programs may bring besides those of `KEYCLOAK_CLIENT_ID`. Left out, those of every client to which the operator gave our audience. */
  KEYCLOAK_TOKEN_CLIENTS: z.string().max(2000).regex(/^[^\s,]{1,255}(,[^\s,]{1,255})*$/, "must be client ids with commas between them").transform((value) => value.split(",")).optional(),
  ENABLE_USER_SYNC: flag.default(true),
  USER_SYNC_INTERVAL_HOURS: z.string().regex(/^\d+(\.\d+)?$/, "must be a number").transform(Number).pipe(z.number().min(0.001).max(720)).default(1),
  /** How often Keycloak is asked who was disabled, deleted or signed out there; 0 never. Somewhat under the 30 s in which it has to show. */
  PEOPLE_SWEEP_SECONDS: integer(0, 3600).default(25),
  PASSWORD_GRANT_ENABLED: flag.default(false),
  OWNER_TOKEN_STRATEGY: z.enum(["offline"]).default("offline"),
  TOKEN_NARROWING: z.enum(["exchange", "none"]).default("exchange"),
  NFLOW_AUDIENCE: z.string().min(1).max(255).default("nflow"),
  FLOWISE_AUDIENCE: z.string().min(1).max(255).default("flowise"),
  NFLOW_SCOPE: scopes,
  FLOWISE_SCOPE: scopes,
  /** Names of the roles in Keycloak that mean ours. */
  ROLE_ADMIN: roleNames("admin"),
  ROLE_USER: roleNames("user"),
  ROLE_VIEWER: roleNames("viewer"),
  /** Roles are this client's (`resource_access`) instead of the realm's. */
  ROLE_CLIENT: z.string().min(1).max(255).optional(),
  DEFAULT_ROLE: z.enum(["admin", "user", "viewer"]).optional(),
  DEFAULT_TENANT: z.string().min(1).max(100).default("default"),
  TENANT_CLAIM: z.string().min(1).max(100).optional(),
  /** Only groups below this path name tenants. */
  TENANT_GROUP_PREFIX: groupPrefix.optional(),
  TENANT_AUTO_CREATE: flag.default(true),
  CONTACT: z.string().max(320).optional(),

  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "must be a postgresql:// URL").max(2000),
  DATABASE_POOL: integer(2, 200).default(10),
  REDIS_URL: redisUrl,

  NFLOW_API_URL: engineUrl,
  NFLOW_API_KEY: z.undefined("must not be set: NFlow is called with people's own tokens, no engine key exists").optional(),
  FLOWISE_URL: engineUrl,
  FLOWISE_AUTH: z.enum(["user-token", "service-key"]).default("user-token"),
  FLOWISE_API_KEY: z.string().min(8).max(500).optional(),
  ENABLE_CHATFLOW_SYNC: flag.default(true),
  CHATFLOW_SYNC_INTERVAL_HOURS: z.string().regex(/^\d+(\.\d+)?$/, "must be a number").transform(Number).pipe(z.number().min(0.001).max(720)).default(1),

  /** To each engine, from each process; an open stream holds one. */
  UPSTREAM_CONNECTIONS: integer(1, 65535).default(4096),
  UPSTREAM_CONNECT_TIMEOUT_MS: integer(50, 60000).default(2000),
  UPSTREAM_FIRST_BYTE_TIMEOUT_MS: integer(50, 600000).default(30000),
  UPSTREAM_TOTAL_TIMEOUT_MS: integer(100, 3600000).default(300000),
  UPSTREAM_IDLE_TIMEOUT_MS: integer(100, 3600000).default(90000),

  /** `single` asks Redis once per call instead of once per turn of the event loop: the reference that measurements and tests compare with. */
  KEY_CHECKS: z.enum(["batched", "single"]).default("batched"),
  API_KEY_PREFIX: z.string().regex(/^[a-z][a-z0-9]{1,11}$/, "must be 2 to 12 lower-case letters and digits").default("slk"),
  /** Prefixes of keys that earlier systems minted and that may be imported by hash; anything else is refused without a look into a store. */
  API_KEY_EARLIER_PREFIXES: z.string().max(500).regex(/^[A-Za-z][A-Za-z0-9_-]{1,30}(,[A-Za-z][A-Za-z0-9_-]{1,30})*$/, "must be prefixes with commas between them").transform((value) => value.split(",")).default(["kaa_", "flash_"]),
  API_KEY_MAX_PER_USER: integer(0, 100000).default(10),
  API_KEY_MAX_LIFETIME_DAYS: integer(1, 36500).optional(),
  USER_RATE_LIMIT: rate.default({ requests: 100000, window: 3600 }),
  TENANT_RATE_LIMIT: rate.default({ requests: 1000000, window: 3600 }),
  AUTH_FAILURE_LIMIT: rate.default({ requests: 600, window: 60 }),
  PASSWORD_FAILURE_LIMIT: rate.default({ requests: 10, window: 900 }),
  TOKEN_ACCESS_TTL_SECONDS: integer(30, 86400).default(900),
  TOKEN_REFRESH_TTL_SECONDS: integer(60, 31536000).default(604800),
  /** What a refresh token that is used twice ends: its own family, or all tokens of the person's programs. */
  TOKEN_REUSE_SCOPE: z.enum(["family", "user"]).default("family"),
  /** How long one of our keys signs before the next one takes over. */
  TOKEN_SIGNING_KEY_DAYS: integer(1, 3650).default(90),
  /** Opens /api/metrics; with a shorter one than `metricsTokenMin` it stays closed. */
  METRICS_TOKEN: z.string().max(4096).optional(),
  TRUSTED_PROXIES: list.refine((entries) => entries.every((e) => ipaddr.isValid(e) || ipaddr.isValidCIDR(e)), "must be addresses or CIDRs").default([]),
  BODY_LIMIT: integer(1024, 104857600).default(1048576),
  /** Bytes of a body in which uploads may ride (base64 in JSON), where `BODY_LIMIT` is too small. */
  UPLOAD_LIMIT: integer(1024, 524288000).default(52428800),
  /** Bytes of bodies larger than 1 MiB that one process holds at once, until they are answered. */
  BODY_MEMORY: integer(1048576, 17179869184).default(134217728),
  /** How long the request log is kept. */
  REQUEST_LOG_DAYS: integer(1, 3650).default(30),
  /** Shorter than `adminTokenMin` it opens nothing, and the start of the log says so. */
  ADMIN_TOKEN: z.string().max(4096).optional(),
}).superRefine((e, ctx) => {
  const lack = (path: string, message: string) => ctx.addIssue({ code: "custom", path: [path], message });
  if (e.PASSWORD_GRANT_ENABLED && !(e.KEYCLOAK_DIRECT_CLIENT_ID && e.KEYCLOAK_DIRECT_CLIENT_SECRET)) lack("KEYCLOAK_DIRECT_CLIENT_ID", "and its secret are needed when PASSWORD_GRANT_ENABLED=true");
  if (Boolean(e.KEYCLOAK_SYNC_CLIENT_ID) !== Boolean(e.KEYCLOAK_SYNC_CLIENT_SECRET)) lack("KEYCLOAK_SYNC_CLIENT_ID", "and KEYCLOAK_SYNC_CLIENT_SECRET go together");
  if (e.KEYCLOAK_SYNC_CLIENT_ID && [e.KEYCLOAK_CLIENT_ID, e.KEYCLOAK_MACHINE_CLIENT_ID, e.KEYCLOAK_DIRECT_CLIENT_ID].includes(e.KEYCLOAK_SYNC_CLIENT_ID)) lack("KEYCLOAK_SYNC_CLIENT_ID", "must be a client of its own: people's clients may not read everybody");
  if (e.API_KEY_EARLIER_PREFIXES.some((prefix) => `${e.API_KEY_PREFIX}_`.startsWith(prefix))) lack("API_KEY_PREFIX", "belongs to an earlier system (API_KEY_EARLIER_PREFIXES), whose keys have no checksum to ask");
  if (e.FLOWISE_AUTH === "service-key" && !e.FLOWISE_API_KEY) lack("FLOWISE_API_KEY", "is needed when FLOWISE_AUTH=service-key");
  if (new Set([e.KEYCLOAK_CLIENT_ID, e.KEYCLOAK_MACHINE_CLIENT_ID, e.KEYCLOAK_DIRECT_CLIENT_ID]).size < 3) lack("KEYCLOAK_MACHINE_CLIENT_ID", "the Keycloak clients must differ: refresh-token chains are never shared");
  if (e.SESSION_KEKS.some((s) => e.VAULT_KEKS.some((v) => v.key.equals(s.key)))) lack("VAULT_KEKS", "must not share a key with SESSION_KEKS");
});

export type Env = z.output<typeof schema>;

/** One line per unusable setting; never a value, since values may be secrets. */
export class EnvError extends Error {
  override name = "EnvError";
  constructor(readonly lines: string[]) {
    super(lines.join("\n"));
  }
}

/** @throws EnvError with one line for each setting that is missing or unusable. */
export function parseEnv(source: Record<string, string | undefined>): Env {
  const given = Object.fromEntries(Object.entries(source).filter(([, v]) => v !== undefined && v !== ""));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "environment");
    return given[name] === undefined && issue.code === "invalid_type" ? `${name} is missing` : `${name} ${issue.message}`;
  });
  throw new EnvError([...new Set(lines)]);
}

let parsed: Env | undefined;

/** The environment, parsed once. Server and worker call it first thing, so that a mistake stops the process at start. */
export function env(): Env {
  parsed ??= parseEnv(process.env);
  return parsed;
}

/** For tests that need other settings in the same process. */
export function setEnv(next: Env | undefined): void {
  parsed = next;
}
