import { decodeJwt, type JWTPayload } from "jose";
import { z } from "zod";
import type { Env } from "@/lib/platform/env";
import { type Area, Blocked, type Check, failed, notApplicable, once, passed, type Verdict } from "../check";
import type { Doctor } from "../doctor";
import { type Answer, basic, call } from "../http";
import type { ByPassword } from "../password";
import { isUnauthenticated } from "./clients";
import { type Discovery, judgeClock } from "./issuer";

const Tokens = z.object({ access_token: z.string(), refresh_token: z.string().optional() });
const Refusal = z.object({ error: z.string(), error_description: z.string().default("") });
const setup = "npm run keycloak:setup";
const unreachable = "see that Keycloak's token endpoint answers from here";
type Discover = (signal: AbortSignal) => Promise<Discovery>;

/** A real person's tokens, from sign-in by password to one engine's own token, and signed out again. */
export function tokensArea({ env }: Doctor, discovery: Discover, byPassword: ByPassword | null): Area {
  const name = "tokens";
  if (!byPassword) {
    const why = env.PASSWORD_GRANT_ENABLED ? "set DOCTOR_USERNAME and DOCTOR_PASSWORD to somebody's, and real tokens are looked at" : "PASSWORD_GRANT_ENABLED is off: only a browser gets tokens";
    return { name, checks: [{ name: "a person's tokens", cure: "", run: async () => notApplicable(why) }] };
  }
  const { client: direct, username } = byPassword;
  const askToken = async (signal: AbortSignal, form: Record<string, string>) => call((await discovery(signal)).token_endpoint, { signal, method: "POST", headers: basic(direct), form });
  const signIn = once("the sign-in", async () => {
    const answer = await byPassword.signIn("openid offline_access", AbortSignal.timeout(5000));
    signedInAt = Date.now();
    return tokensIn(answer);
  });
  let signedInAt = NaN;
  const claims = async () => decodeJwt((await signIn()).access_token);
  const check = (title: string, cure: string, run: Check["run"]): Check => ({ name: title, cure, run });
  return {
    name,
    checks: [
      check("sign-in by password", `see that DOCTOR_USERNAME and DOCTOR_PASSWORD are right, that the account is complete, and that ${direct.id} has direct access grants on and asks for no consent: ${setup}`, async () => (await signIn(), passed(`as ${username}`))),
      check("clocks agree", unreachable, async () => judgeClock(Number((await claims()).iat) * 1000, signedInAt)),
      check("size", unreachable, async () => judgeSize((await signIn()).access_token)),
      check("audiences", setup, async () => judgeAudiences(await claims(), [direct.id, env.NFLOW_AUDIENCE, env.FLOWISE_AUDIENCE])),
      check("role", setup, async () => judgeRole(await claims(), env.DEFAULT_ROLE)),
      check("tenant", setup, async () => judgeTenant(await claims(), env)),
      check("lasting access", setup, async () => judgeOffline((await signIn()).refresh_token)),
      ...[env.NFLOW_AUDIENCE, env.FLOWISE_AUDIENCE].map((audience) => check(`token for ${audience} alone`, unreachable, async (signal) => judgeExchange(env, audience, () => narrow(signal, audience)))),
      check("NFlow accepts the person", "see that NFLOW_API_URL answers from here", async (signal) => acceptedByNflow(env, signal, (await narrowed(signal, env.NFLOW_AUDIENCE)))),
      check("signed out again", unreachable, async (signal) => signOut(direct, (await signIn()).refresh_token, await discovery(signal), signal)),
    ],
  };

  async function narrow(signal: AbortSignal, audience: string): Promise<Answer> {
    const type = "urn:ietf:params:oauth:token-type:access_token";
    return askToken(signal, { grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: (await signIn()).access_token, subject_token_type: type, requested_token_type: type, audience, scope: audience === env.NFLOW_AUDIENCE ? env.NFLOW_SCOPE : env.FLOWISE_SCOPE });
  }

  async function narrowed(signal: AbortSignal, audience: string): Promise<string> {
    if (env.TOKEN_NARROWING === "none") return (await signIn()).access_token;
    const found = Tokens.safeParse((await narrow(signal, audience)).json);
    if (!found.success) throw new Blocked("needs the token for it, see above");
    return found.data.access_token;
  }
}

/** @throws Error with Keycloak's words, so that the first check shows them. */
function tokensIn(answer: Answer): z.output<typeof Tokens> {
  const found = Tokens.safeParse(answer.json);
  if (found.success) return found.data;
  if (isUnauthenticated(answer)) throw new Blocked("needs the client to authenticate, see above");
  const said = Refusal.safeParse(answer.json).data;
  throw new Error(said ? `${said.error}: ${said.error_description}` : `answers ${answer.status}`);
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((v): v is string => typeof v === "string") : typeof value === "string" ? [value] : []);

/** Engines bound the headers of a request, Node.js at 16 kB, and Keycloak bounds the token that it exchanges. */
export function judgeSize({ length }: string): Verdict {
  const cure = "put fewer groups and roles into access tokens (the client's mappers), or raise Keycloak's limit on the length of request parameters and the engines' limit on headers";
  if (length > 16_000) return failed(`the access token has ${length} characters: engines may answer 431 from about 16,000 on, and Keycloak 26.7 refuses to exchange one of about 20,000`, cure);
  return passed(`${length} characters`, length > 12_000 ? `near the 16,000 from which engines may answer 431: ${cure}` : undefined);
}

export function judgeAudiences(claims: JWTPayload, wanted: string[]): Verdict {
  if (claims.sub === undefined) return failed("the access token is a lightweight one: it names neither the person nor their roles", `turn off "Always use lightweight access token" at our clients (${setup} does), and leave them out of client policies with the executor use-lightweight-access-token`);
  const missing = wanted.filter((audience) => !listOf(claims.aud).includes(audience));
  if (missing.length === 0) return passed(wanted.join(", "));
  return failed(`${missing.join(", ")} is missing`, `give the client an audience mapper for each: ${setup}`);
}

export function judgeRole(claims: JWTPayload, defaultRole: string | undefined): Verdict {
  const inRealm = z.object({ roles: z.array(z.string()) }).safeParse(claims.realm_access).data?.roles ?? [];
  const role = ["admin", "user", "viewer"].find((r) => listOf(claims.roles).includes(r) || inRealm.includes(r));
  if (role) return passed(role);
  if (defaultRole) return passed(`none, so DEFAULT_ROLE ${defaultRole}`);
  return failed("none of admin, user and viewer is in the token", `give the person a role in Keycloak; where they have one, the client lacks its mapper or role scope: ${setup}`);
}

/** As the product reads it: organization, else the first group, unless TENANT_CLAIM names another claim. */
export function judgeTenant(claims: JWTPayload, env: Pick<Env, "TENANT_CLAIM" | "DEFAULT_TENANT">): Verdict {
  const from = env.TENANT_CLAIM ? [env.TENANT_CLAIM] : ["organization", "groups"];
  for (const claim of from) {
    const value = claims[claim];
    const first = listOf(value)[0] ?? (value && typeof value === "object" && !Array.isArray(value) ? Object.keys(value)[0] : undefined);
    if (first) return passed(`${first.replace(/^\/+/, "").split("/")[0]}, from the claim ${claim}`);
  }
  return passed(`DEFAULT_TENANT ${env.DEFAULT_TENANT}`, `no claim ${from.join(" or ")} is in the token; where tenants matter: ${setup} -- --tenants groups, or organizations`);
}

function judgeOffline(refreshToken: string | undefined): Verdict {
  const cure = `make offline_access an optional scope of the client, and give people the role offline_access: ${setup}`;
  if (!refreshToken) return failed("no refresh token came", cure);
  const type = decodeJwt(refreshToken).typ;
  return type === "Offline" ? passed("an offline token") : failed(`the refresh token is of type ${String(type)}`, cure);
}

async function judgeExchange(env: Env, audience: string, narrow: () => Promise<Answer>): Promise<Verdict> {
  if (env.TOKEN_NARROWING === "none") return notApplicable("TOKEN_NARROWING=none");
  const answer = await narrow();
  const found = Tokens.safeParse(answer.json);
  if (!found.success) {
    const said = Refusal.safeParse(answer.json).data;
    return failed(`${answer.status} ${said ? `${said.error}: ${said.error_description}` : ""}`, `see that the client ${audience} exists, and that ours has its audience mapper and standard token exchange on: ${setup}`);
  }
  const aud = listOf(decodeJwt(found.data.access_token).aud);
  return aud.length === 1 && aud[0] === audience ? passed(`aud is ${audience}`) : failed(`aud is ${aud.join(", ")}`, "remove what adds audiences to exchanged tokens, such as a client scope with an audience mapper of its own");
}

async function acceptedByNflow(env: Env, signal: AbortSignal, token: string): Promise<Verdict> {
  const answer = await call(`${env.NFLOW_API_URL}/me`, { signal, headers: { authorization: `Bearer ${token}` } }).catch(() => { throw new Blocked("needs NFlow, see there"); });
  if (answer.status === 401) return failed("401", `see that NFlow trusts ${env.KEYCLOAK_ISSUER} and expects the audience ${env.NFLOW_AUDIENCE} (NFLOW_AUDIENCE)`);
  if (answer.status >= 500) return failed(`answers ${answer.status}`, "look at NFlow");
  return passed(answer.status === 200 ? "their profile came back" : `the token is taken, the answer is ${answer.status}`);
}

/** An offline session of a password grant is its own, so this ends nothing else. */
async function signOut(direct: ByPassword["client"], refreshToken: string | undefined, d: Discovery, signal: AbortSignal): Promise<Verdict> {
  if (!refreshToken) return notApplicable("there is nothing to revoke");
  const { status } = await call(d.revocation_endpoint, { signal, method: "POST", headers: basic(direct), form: { token: refreshToken, token_type_hint: "refresh_token" } });
  return status === 200 || status === 204 ? passed("revoked") : failed(`revocation answers ${status}`, "remove the session in Keycloak (Users → Sessions), and see why revocation fails");
}
