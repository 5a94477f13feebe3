import { createHash, randomBytes } from "node:crypto";
import { inject } from "vitest";
import { Browser, demo, passwordOf } from "./client";

export type KeycloakTokens = { access_token: string; refresh_token: string; id_token?: string };

/** Tokens as a program of the operator's would have them: by the code flow of our client, or by password at the other one. */
export async function keycloakTokens(username: string, client: "web" | "direct"): Promise<KeycloakTokens> {
  const env = inject("webEnv");
  const ask = async (form: Record<string, string>) => (await (await fetch(`${demo.issuer}/protocol/openid-connect/token`, { method: "POST", body: new URLSearchParams(form) })).json()) as KeycloakTokens;
  if (client === "direct") return ask({ grant_type: "password", client_id: env.KEYCLOAK_DIRECT_CLIENT_ID!, client_secret: env.KEYCLOAK_DIRECT_CLIENT_SECRET!, username, password: passwordOf(username), scope: "openid" });
  const verifier = randomBytes(32).toString("base64url");
  const redirect_uri = `${demo.url}/api/auth/callback/keycloak`;
  const browser = new Browser(redirect_uri);
  const page = await browser.go(`${demo.issuer}/protocol/openid-connect/auth?${new URLSearchParams({ client_id: env.KEYCLOAK_CLIENT_ID!, response_type: "code", scope: "openid", redirect_uri, state: "s", code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256" })}`);
  const back = await browser.submit(page, { username, password: passwordOf(username) });
  return ask({ grant_type: "authorization_code", client_id: env.KEYCLOAK_CLIENT_ID!, client_secret: env.KEYCLOAK_CLIENT_SECRET!, code: new URL(back.url).searchParams.get("code") ?? "", redirect_uri, code_verifier: verifier });
}
