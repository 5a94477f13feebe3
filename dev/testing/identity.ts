import { now } from "../../lib/platform/clock";
import { setEnv } from "../../lib/platform/env";
import { forgetKeycloak, type KeycloakClient, requestToken, type TokenSet } from "../../lib/platform/keycloak";
import { Browser, formOf, newVerifier } from "../identity/browser";
import { type Identity, startIdentity } from "../identity/server";

const password = "correct horse battery";
const sluiceUrl = "http://localhost:3000";
const redirects = { web: `${sluiceUrl}/api/auth/callback/keycloak`, machine: `${sluiceUrl}/api/owner-grant/callback` };

type Call = { method: string; path: string; body: Record<string, string> | null; carriedOut?: number };

/** The embedded identity provider, with this process's settings pointing at it. */
export async function aRealm() {
  const identity: Identity = await startIdentity({ sluiceUrl, demoPassword: password, accessTokenSeconds: 300 });
  process.env.KEYCLOAK_ISSUER = identity.issuer;
  setEnv(undefined);
  forgetKeycloak();
  const at = (path: string) => `${identity.origin}${path}`;
  return {
    ...identity,
    password,
    async control(wish: object): Promise<void> {
      const answer = await fetch(at("/__control"), { method: "POST", body: JSON.stringify(wish) });
      if (!answer.ok) throw new Error(`control: ${answer.status} ${await answer.text()}`);
    },
    /** Calls of the token endpoint so far, by grant type. */
    async calls(grantType: string, options: { carriedOut?: true } = {}): Promise<number> {
      const calls = (await (await fetch(at("/__calls"))).json()) as Call[];
      return calls.filter((call) => call.body?.grant_type === grantType && (!options.carriedOut || call.carriedOut !== undefined)).length;
    },
    async forgetCalls(): Promise<void> {
      await fetch(at("/__calls"), { method: "DELETE" });
    },
    /** Follows an authorization address through sign-in and consent to the address that Keycloak sends the browser back to. */
    async follow(url: string, options: { username?: string; browser?: Browser; consent?: "Yes" | "No" } = {}): Promise<URL> {
      const { username = "uma", browser = new Browser(), consent = "Yes" } = options;
      let page = await browser.open(url);
      for (let step = 0; page.html && step < 4; step++) {
        const { action, hidden } = formOf(page.html, page.url);
        const fields = page.html.includes('name="password"') ? { ...hidden, username, password } : { ...hidden, [consent === "Yes" ? "accept" : "cancel"]: consent };
        page = await browser.open(action, fields);
      }
      return new URL(page.url);
    },
    /** Through every page, and the code changed for tokens. */
    async tokensFor(username: string, client: Extract<KeycloakClient, "web" | "machine"> = "web", browser = new Browser()): Promise<TokenSet> {
      const { verifier, challenge } = newVerifier();
      const query = {
        client_id: `sluice-${client}`, response_type: "code", scope: client === "web" ? "openid" : "openid offline_access", redirect_uri: redirects[client],
        state: "st", nonce: "no", code_challenge: challenge, code_challenge_method: "S256",
      };
      const back = await this.follow(`${identity.issuer}/protocol/openid-connect/auth?${new URLSearchParams(query)}`, { username, browser });
      const code = back.searchParams.get("code");
      if (!code) throw new Error(`no code in ${back}`);
      return requestToken(client, { grant_type: "authorization_code", code, redirect_uri: redirects[client], code_verifier: verifier });
    },
    /** The same tokens as if they had been received long ago. */
    expired(tokens: TokenSet): TokenSet {
      return { ...tokens, expiresAt: now() - 1000 };
    },
  };
}

export type Realm = Awaited<ReturnType<typeof aRealm>>;
