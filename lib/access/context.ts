import { SluiceError } from "@/lib/platform/errors";
import { administration, type Permission, permissionBit, permissionsOf, type Role } from "./permissions";

/** A person as the portal knows them now. `tenantId` is an id, `tenant` a slug; `sub` is Keycloak's. */
export type Person = {
  userId: string;
  tenantId: string;
  tenant: string;
  issuer: string;
  sub: string;
  username: string;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  role: Role | null;
};

/**
 * What a session needs to open its own record: the session id (hash of the cookie's handle) and the cookie's key share.
 * Lives for one request; never logged, never stored.
 */
export type SessionHandle = { sessionId: string; share: string };

/** How a user came in, and so whose token goes upstream. */
export type UserCredential =
  | { kind: "session"; session: SessionHandle }
  | { kind: "keycloak"; token: string; expiresAt: number; /** What Keycloak's session behind it is called, and when it began (seconds of Keycloak's clock). */ signIn?: { kcSid: string | null; at: number } }
  | { kind: "gateway"; familyId: string };

export type RateLimit = { requests: number; window: number };

/** What becomes of a call, filled in on its way by those who know it, for the request log and the headers of the answer. */
export type CallTrace = {
  /** Who was found to be calling, even if they were then refused by the check, or before it by a token of theirs that has ended. */
  by?: { userId: string; tenantId: string; apiKeyId?: string; /** By the check, or before it. */ refused?: true; /** No check has counted the call for its key. */ uncounted?: true; earlierSecret?: true };
  /** Made by the portal's own pages: with a browser session, or by a form. */
  portal?: true;
  /** Settled so far. */
  credits: number;
  upstream?: "flowise" | "nflow";
  /** Puts onto the answer how the caller's limits stand, as their check says. Absent where there are no headers to set, as for actions. */
  tell?: ((headers: Record<string, string>) => void) | undefined;
};

export type Actor =
  | { type: "user"; person: Person; credential: UserCredential }
  | { type: "apiKey"; apiKeyId: string; person: Person; rateLimit: RateLimit; /** Set when a gateway token stands for the key. */ familyId?: string; /** Which of the key's secrets the call came with, counted from 0. */ secretGeneration?: number; /** The call came with a secret that was rotated away. */ earlierSecret?: true }
  | { type: "bootstrap" }
  | { type: "job"; name: string };

/** Who is calling and what may be done in their name, learned once per request in `lib/entry`; never from the body. */
export type Context = {
  requestId: string;
  /** The caller's tenant; "system" for jobs and the bootstrap token. */
  tenantId: string;
  actor: Actor;
  /** Permissions in force: the key's, cut to what the owner's role allows now. One bit each. */
  permissions: number;
  /** Flowise's ids that the key is limited to; without them any chatflow that is assigned to the person. */
  chatflowIds?: readonly string[];
  ip: string | null;
  userAgent: string | null;
  /** Absent where nothing is logged, as for jobs. */
  call?: CallTrace;
  /** Set when the caller named the attempt (`Idempotency-Key`): what has an effect notes it under this id, in the same transaction. */
  attempt?: string;
  /**
   * Asks whether who is in front of the browser proved it lately (contract section 2). Absent where no session calls: a key or token cannot prove it.
   * @throws SluiceError `step_up_required`
   */
  requireFresh?: () => void;
  /**
   * Asks once more whether the session, or the sign-in at Keycloak, that the call came with still lives: for what must not be finished after somebody was cut off.
   * Absent where the call stands on neither.
   * @throws SluiceError `session_expired`, `invalid_credentials`; `store_unavailable`
   */
  refuseIfEnded?: () => Promise<void>;
};

/** The person behind the call, whether they came themselves or sent a key. @throws SluiceError for jobs and the bootstrap token. */
export function requirePerson(ctx: Context): Person {
  if (ctx.actor.type === "user" || ctx.actor.type === "apiKey") return ctx.actor.person;
  throw new SluiceError("insufficient_permission", "This needs a person.");
}

export function hasPermission(ctx: Context, permission: Permission): boolean {
  return (ctx.permissions & permissionBit(permission)) !== 0;
}

/** Whether the caller's key may touch this chatflow, as far as the key says. */
export function mayUseChatflow(ctx: Context, flowiseId: string): boolean {
  return !ctx.chatflowIds || ctx.chatflowIds.includes(flowiseId.toLowerCase());
}

/** The first line of a verb. @throws SluiceError `insufficient_permission`, naming the permission. */
export function requirePermission(ctx: Context, permission: Permission): void {
  if (!hasPermission(ctx, permission)) throw missingPermission(permission, permissionsOf(ctx.permissions));
}

/**
 * For whatever gives permissions to a key or a token: an administrator's would outlive the proof that each of an administrator's changes asks for in a
 * session, and so ask for it themselves.
 * @param mask of the permissions given; those that the caller does not hold give nothing
 * @throws SluiceError `step_up_required`
 */
export function requireFreshFor(ctx: Context, mask: number): void {
  if ((mask & ctx.permissions & administration) !== 0) ctx.requireFresh?.();
}

/** @param held what the caller has in its place, where that is known. */
export function missingPermission(permission: Permission, held: Permission[] | null = null): SluiceError {
  return new SluiceError("insufficient_permission", `This needs the permission ${permission}.`, { extra: { permission }, decision: { check: "permission", seen: held, limit: permission } });
}

/** Who did it, as audit events and ledger rows name them. */
export function actorRef(ctx: Context): { type: Actor["type"]; id: string | null } {
  const { actor } = ctx;
  if (actor.type === "user") return { type: "user", id: actor.person.userId };
  if (actor.type === "apiKey") return { type: "apiKey", id: actor.apiKeyId };
  if (actor.type === "job") return { type: "job", id: actor.name };
  return { type: "bootstrap", id: null };
}

/** The context of a job: it is its own actor and holds everything. */
export function jobContext(name: string, requestId: string): Context {
  return { requestId, tenantId: "system", actor: { type: "job", name }, permissions: -1, ip: null, userAgent: null };
}
