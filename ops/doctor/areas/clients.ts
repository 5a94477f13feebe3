import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { type Area, Blocked, type Check, failed, notApplicable, passed, type Verdict } from "../check";
import type { Doctor } from "../doctor";
import { type Answer, basic, call } from "../http";
import type { Discovery } from "./issuer";
import { judgeAddress } from "./settings";

type Client = { label: string; id: string; secret: string; setting: string; callback: string | null };
const Refusal = z.object({ error: z.string(), error_description: z.string().default("") });
const unreachable = "see that Keycloak answers at the addresses of its discovery document from here";

/** Each of our Keycloak clients, asked so that nothing happens: tokens and codes that never were, sign-ins that may not show a page. */
export function clientsArea({ env, sync }: Doctor, discovery: (signal: AbortSignal) => Promise<Discovery>): Area {
  const clients: Client[] = [
    { label: "web", id: env.KEYCLOAK_CLIENT_ID, secret: env.KEYCLOAK_CLIENT_SECRET, setting: "KEYCLOAK_CLIENT", callback: "/api/auth/callback/keycloak" },
    { label: "machine", id: env.KEYCLOAK_MACHINE_CLIENT_ID, secret: env.KEYCLOAK_MACHINE_CLIENT_SECRET, setting: "KEYCLOAK_MACHINE_CLIENT", callback: "/api/owner-grant/callback" },
  ];
  if (env.PASSWORD_GRANT_ENABLED && env.KEYCLOAK_DIRECT_CLIENT_ID && env.KEYCLOAK_DIRECT_CLIENT_SECRET) clients.push({ label: "direct", id: env.KEYCLOAK_DIRECT_CLIENT_ID, secret: env.KEYCLOAK_DIRECT_CLIENT_SECRET, setting: "KEYCLOAK_DIRECT_CLIENT", callback: null });
  if (sync) clients.push({ label: "sync", ...sync, setting: "KEYCLOAK_SYNC_CLIENT", callback: null });
  return { name: "clients", checks: clients.flatMap((client) => checksOf(client, env.AUTH_URL, discovery)) };
}

function checksOf(client: Client, authUrl: string, discovery: (signal: AbortSignal) => Promise<Discovery>): Check[] {
  const { id, callback } = client;
  let isKnown = true;
  const authenticates: Check = {
    name: `${id} authenticates`, cure: unreachable,
    run: async (signal) => {
      const { token_endpoint: url } = await discovery(signal);
      const answer = await call(url, { signal, method: "POST", headers: basic(client), form: { grant_type: "refresh_token", refresh_token: "asked-by-the-doctor" } });
      isKnown = Refusal.safeParse(answer.json).data?.error !== "invalid_client";
      return judgeAuthentication(answer, client);
    },
  };
  if (callback === null) return [authenticates];
  const own = `${authUrl}${callback}`;
  const ask = async (signal: AbortSignal, redirectUri: string, challenge: boolean) => {
    if (!isKnown) throw new Blocked(`needs a realm that knows ${id}, see above`);
    if (judgeAddress(authUrl).outcome === "failed") throw new Blocked("needs an AUTH_URL that people can use, see above");
    return call(authorizationUrl(await discovery(signal), id, redirectUri, challenge), { signal });
  };
  return [
    authenticates,
    { name: `${id} leads back to us`, cure: unreachable, run: async (signal) => judgeRedirect(await ask(signal, own, true), own, id) },
    { name: `${id} leads nowhere else`, cure: unreachable, run: async (signal) => judgeForeign(await ask(signal, "https://elsewhere.invalid/callback", true), id) },
    { name: `${id} wants PKCE`, cure: unreachable, run: async (signal) => judgePkce(await ask(signal, own, false), own, id) },
  ];
}

function authorizationUrl(d: Discovery, clientId: string, redirectUri: string, challenge: boolean): string {
  const url = new URL(d.authorization_endpoint);
  const s256 = createHash("sha256").update(randomBytes(32)).digest("base64url");
  // Without a page: nobody is signed in here, so a request that is accepted comes back with login_required.
  const query = { client_id: clientId, redirect_uri: redirectUri, response_type: "code", scope: "openid", prompt: "none", state: "doctor", nonce: "doctor", ...(challenge && { code_challenge: s256, code_challenge_method: "S256" }) };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

/** Keycloak tells an unknown client (`invalid_client`), a wrong secret (`unauthorized_client`) and a token that it never gave (`invalid_grant`) apart. */
export function judgeAuthentication(answer: Pick<Answer, "status" | "json">, { id, setting }: Pick<Client, "id" | "setting">): Verdict {
  const said = Refusal.safeParse(answer.json).data;
  if (said?.error === "invalid_grant") return passed("by its secret");
  if (said?.error === "unauthorized_client" && answer.status === 401) return failed("its secret is wrong", `copy the secret of ${id} (Clients → Credentials) to ${setting}_SECRET`);
  if (said?.error === "invalid_client") return failed("the realm does not know it, or it is disabled", `correct ${setting}_ID, or make the client: npm run keycloak:setup`);
  if (said?.error === "access_denied") return failed("the realm is disabled", "enable the realm in Keycloak");
  return failed(`answers ${answer.status} ${said ? `${said.error}: ${said.error_description}` : "without an OAuth error"}`, `see that ${id} is confidential and authenticates with client id and secret`);
}

/** Whether a client, not its request, was refused: then the line of that client has said so. */
export function isUnauthenticated(answer: Pick<Answer, "status" | "json">): boolean {
  const said = Refusal.safeParse(answer.json).data;
  return answer.status === 401 && /client credentials/i.test(said?.error_description ?? "");
}

/** Where an answer sends the browser, and with which error. */
function sentTo(answer: Pick<Answer, "status" | "header">): { address: string; error: string | null } | null {
  const location = answer.header("location");
  if (answer.status < 300 || answer.status > 399 || !location || !URL.canParse(location)) return null;
  const url = new URL(location);
  return { address: url.origin + url.pathname, error: url.searchParams.get("error") };
}

export function judgeRedirect(answer: Pick<Answer, "status" | "header">, own: string, id: string): Verdict {
  const sent = sentTo(answer);
  if (sent?.address !== own) return failed(`Keycloak answers ${answer.status} instead of sending people back`, `allow exactly ${own} as redirect address of ${id}, with the standard flow on: npm run keycloak:setup`);
  if (sent.error === null || ["login_required", "interaction_required", "consent_required"].includes(sent.error)) return passed(own);
  return failed(`comes back with ${sent.error}`, `see that ${id} has the standard flow on and its scopes: npm run keycloak:setup`);
}

export function judgeForeign(answer: Pick<Answer, "status" | "header">, id: string): Verdict {
  if (sentTo(answer)?.address.startsWith("https://elsewhere.invalid")) return failed("it would send codes to anybody's address", `take the wildcard out of the redirect addresses of ${id}`);
  if (answer.status < 400 || answer.status > 499) return failed(`Keycloak answers ${answer.status} to a foreign address, where 400 was expected`, `look at the redirect addresses of ${id}`);
  return passed("a foreign address is refused");
}

export function judgePkce(answer: Pick<Answer, "status" | "header">, own: string, id: string): Verdict {
  const sent = sentTo(answer);
  if (sent?.address !== own) return notApplicable("cannot be seen while it does not lead back to us");
  if (sent.error === "invalid_request") return passed("a request without it is refused");
  return failed("a request without a challenge is taken", `set "Proof Key for Code Exchange Code Challenge Method" of ${id} to S256: npm run keycloak:setup`);
}
