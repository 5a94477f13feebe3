import type { Person } from "@/lib/access";
import { storeGrant } from "@/lib/grants";
import { countFailure, giveBackLimit, hashedName, limitFailures, takeLimit } from "@/lib/keys";
import { now } from "@/lib/platform/clock";
import { db, type Prisma } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { identityUnavailable, isTokenEndpointError, requestToken, revokeToken, type TokenSet, verifyKeycloakToken } from "@/lib/platform/keycloak";
import { unlessFrozen } from "@/lib/platform/keycloak-patience";
import { logger } from "@/lib/platform/logger";
import { inTurn } from "@/lib/platform/single-flight";
import { recordFailedSignIn } from "@/lib/sessions";
import { identityOf, type PersonState, rememberPerson } from "@/lib/tenants";
import type { Caller } from "./family";

/**
 * Asks Keycloak whether this password is right, and learns who that is. The password goes to its token endpoint and
 * nowhere else. One person's sign-ins take turns: with brute force protection on, Keycloak answers the second of two at
 * once like a wrong password. Attempts are counted before they are made, and one that was right is given back; whether
 * the name is known changes neither the answer nor the work.
 *
 * @throws SluiceError `password_grant_disabled`, `rate_limited`, `invalid_credentials`, `owner_disabled`, `auth_busy`, `identity_unavailable`, `store_unavailable`
 */
export async function signInByPassword(caller: Caller, username: string, password: string): Promise<Person> {
  if (!env().PASSWORD_GRANT_ENABLED) throw new SluiceError("password_grant_disabled", "Sign-in by password is switched off. Use an API key.");
  await limitFailures(caller.ip);
  const name = `pw:${hashedName(username)}`;
  const people = await peopleCalled(username, { id: true, tenantId: true });
  const known = people.length === 1 ? people[0] : undefined;
  // Whoever is not known here yet has nothing but the name to wait by.
  const whose = known ? `pw:${known.id}` : name;
  return inTurn(`sl:${whose}:l`, `sl:${whose}:n`, () => attempt(caller, { name, username, known }, password));
}

type Named = { name: string; username: string; /** Whom we know by it. */ known: { id: string; tenantId: string } | undefined };

async function attempt(caller: Caller, who: Named, password: string): Promise<Person> {
  const { name, username } = who;
  const limit = env().PASSWORD_FAILURE_LIMIT;
  const taken = await takeLimit(name, limit);
  if (!taken.ok) {
    const { retryAfterSeconds } = taken;
    throw new SluiceError("rate_limited", `Too many failed sign-ins for this name. Retry after ${retryAfterSeconds} seconds.`, { retryAfterSeconds });
  }
  const giveBack = () => giveBackLimit(name, limit, taken.at);

  const wanted = await wantsGrant(username);
  let asked: Asked;
  try {
    asked = await askKeycloak(username, password, wanted);
  } catch (error) {
    const meaning = meaningOf(error);
    if (meaning.code === "invalid_credentials") {
      await countFailure(caller.ip);
      // Only what the limits let through comes here, so a flood fills no log.
      await recordFailedSignIn(caller, { by: "password", reason: meaning.code, known: who.known });
    } else await giveBack();
    throw meaning;
  }
  await giveBack();
  const { person, lacksGrant } = await learn(asked);
  // Whom we knew by that name has a grant, and this is somebody else: an account that was made anew.
  if (lacksGrant && !wanted) await askKeycloak(username, password, true).then(learn).catch((error: unknown) => logger.warn({ err: error, userId: person.userId }, "machine access was not given with a sign-in"));
  return person;
}

type Asked = { tokens: TokenSet; offline: boolean };

async function askKeycloak(username: string, password: string, offline: boolean): Promise<Asked> {
  const form = { grant_type: "password", username, password };
  try {
    return { tokens: await unlessFrozen(requestToken("direct", { ...form, scope: offline ? "openid offline_access" : "openid" })), offline };
  } catch (error) {
    // Somebody who may have no offline tokens may still sign in.
    if (!offline || !isTokenEndpointError(error, "refused")) throw error;
    return { tokens: await unlessFrozen(requestToken("direct", { ...form, scope: "openid" })), offline: false };
  }
}

/** Keycloak answers a wrong password, an unknown name and a locked account alike, "Account disabled" only to the right password. */
function meaningOf(error: unknown): SluiceError {
  if (!isTokenEndpointError(error)) return error instanceof SluiceError ? error : new SluiceError("internal_error", "Sign-in failed.", { cause: error });
  if (error.kind !== "invalid_grant") return error;
  // Said of the right password alone, so it is no failed attempt.
  if (/not fully set up/i.test(error.description)) return new SluiceError("upstream_forbidden", "Keycloak wants you to finish setting up your account. Sign in in the browser and follow its steps.");
  if (/disabled/i.test(error.description)) return new SluiceError("owner_disabled", "This account is disabled.");
  return new SluiceError("invalid_credentials", "The user name or password is not right.");
}

const grantDates = { status: true, clientId: true, givenAt: true, lastUsedAt: true, idleDeadlineAt: true, absDeadlineAt: true } as const;

/**
 * Whether this sign-in shall also give (or renew) machine access: when the grant is missing, lost, or one given by
 * password that is past half its life. One given with consent is left alone while it lives.
 */
async function wantsGrant(username: string): Promise<boolean> {
  const people = await peopleCalled(username, { grant: { select: grantDates } });
  return people.length !== 1 || mayReplace(people[0]?.grant ?? null);
}

/** Whom we know by this user name or email address; two are enough to know that it does not say who it is. */
function peopleCalled<S extends Prisma.UserSelect>(username: string, select: S) {
  const name = username.trim().toLowerCase();
  return db().user.findMany({
    where: { issuer: env().KEYCLOAK_ISSUER, OR: [{ username: { equals: name, mode: "insensitive" } }, { email: name, emailVerified: true }] },
    select, take: 2,
  });
}

type GrantDates = { status: string; clientId: string; givenAt: Date; lastUsedAt: Date | null; idleDeadlineAt: Date | null; absDeadlineAt: Date | null };

function mayReplace(grant: GrantDates | null): boolean {
  if (!grant || grant.status !== "active") return true;
  if (grant.clientId !== env().KEYCLOAK_DIRECT_CLIENT_ID) return false;
  // A grant without an absolute end still ends when nobody uses it for long enough.
  const from = grant.absDeadlineAt ? grant.givenAt : (grant.lastUsedAt ?? grant.givenAt);
  const until = grant.absDeadlineAt ?? grant.idleDeadlineAt;
  return until !== null && now() > (from.getTime() + until.getTime()) / 2;
}

/** Names may be typed in many ways; by the time that Keycloak has said who it is, there may be a grant that must stay. */
async function keepsGrant(userId: string): Promise<boolean> {
  return !mayReplace(await db().ownerGrant.findUnique({ where: { userId }, select: grantDates }));
}

/** Keycloak took the password, so a token that we cannot read is a fault between the two of us and not the caller's. */
async function read(tokens: TokenSet) {
  try {
    const claims = await verifyKeycloakToken(tokens.accessToken);
    return { claims, identity: identityOf(claims) };
  } catch (error) {
    if (!isSluiceError(error, "invalid_credentials", "token_expired")) throw error;
    logger.error({ err: error }, "Keycloak's token for a sign-in by password could not be verified");
    throw identityUnavailable(error);
  }
}

async function learn({ tokens, offline }: Asked): Promise<{ person: Person; lacksGrant: boolean }> {
  const { claims, identity } = await read(tokens);
  const state: PersonState = await rememberPerson(identity);
  const { person } = state;
  const mayAct = state.isActive && state.tenantIsActive && person.role !== null;
  const lacksGrant = mayAct && !(await keepsGrant(person.userId));
  if (offline && tokens.refreshToken && lacksGrant) {
    await storeGrant({
      userId: person.userId, tenantId: person.tenantId, issuer: person.issuer, sub: person.sub, client: "direct",
      refreshToken: tokens.refreshToken, refreshExpiresAt: tokens.refreshExpiresAt, kcSid: typeof claims.sid === "string" ? claims.sid : null,
      authTime: typeof claims.auth_time === "number" ? claims.auth_time : null,
    });
  } else if (tokens.refreshToken) {
    // Nobody will use it, and Keycloak would keep a session for it.
    await revokeToken("direct", tokens.refreshToken).catch((error: unknown) => logger.warn({ err: error }, "an unneeded Keycloak session was not ended"));
  }
  return { person, lacksGrant };
}
