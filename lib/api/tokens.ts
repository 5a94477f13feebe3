import { type ApiApp, route } from "@/lib/entry/api";
import { authenticate, issueToken, refresh, refreshPair, revokeTokens } from "@/lib/tokens";
import { AuthenticateInput, IssueTokenInput, RefreshInput, RefreshTokenInput, RevokeAnswer, RevokeInput, RevokeTokenInput, TokenAnswer, TokenPair } from "@/lib/tokens/schemas";
import { named } from "./named";

const Tokens = named(TokenAnswer, "Tokens");
const Pair = named(TokenPair, "TokenPair");
const Revoked = named(RevokeAnswer, "RevokedTokens");
const tag = "Tokens";

/** Short-lived tokens (contract section 5), and the same in the words of the older chat client (section 6). */
export function tokenRoutes(app: ApiApp): void {
  const pair = (description: string) => [{ status: 200, description, schema: Pair }];
  route(app, {
    method: "post", path: "/api/v1/auth/token", tag, summary: "Obtain short-lived tokens with an API key, a Keycloak token or a session", body: IssueTokenInput, bodyOptional: true, answers: pair("A pair of tokens."),
    description: "As narrow as asked for and never wider than the caller. The tokens end with what they were obtained with: the key, Keycloak's session, the portal's session.",
  }, async (ctx, { body }, c) => c.json(await issueToken(ctx, body)));

  route(app, { method: "post", path: "/api/v1/auth/token/refresh", tag, summary: "A new pair for a refresh token, which is then spent", credential: "none", body: RefreshTokenInput, answers: pair("A new pair.") },
    async (caller, { body }, c) => c.json(await refreshPair(caller, body)));

  const revoked = [{ status: 200, description: "How many sign-ins of programs ended; their access tokens are refused from now on.", schema: Revoked }];
  const whatEnds = "By a refresh token (no other credential is needed), or all: of the calling key, else of the person. With nothing named, the tokens that the call came with.";
  route(app, { method: "post", path: "/api/v1/auth/token/revoke", tag, summary: "End tokens", description: whatEnds, credential: "optional", body: RevokeTokenInput, bodyOptional: true, answers: revoked },
    async (who, { body }, c) => c.json(await revokeTokens(who, body)));

  const chatPair = (description: string) => [{ status: 200, description, schema: Tokens }];
  route(app, { method: "post", path: "/api/v1/chat/authenticate", tag, summary: "Sign in with a password or an API key", credential: "none", body: AuthenticateInput, answers: chatPair("A pair of tokens.") },
    async (caller, { body }, c) => c.json(await authenticate(caller, body)));

  route(app, { method: "post", path: "/api/v1/chat/refresh", tag, summary: "A new pair for a refresh token, which is then spent", credential: "none", body: RefreshInput, answers: chatPair("A new pair.") },
    async (caller, { body }, c) => c.json(await refresh(caller, body)));

  route(app, { method: "post", path: "/api/v1/chat/revoke", tag, summary: "End tokens", description: `${whatEnds} \`token_id\` is the claim \`jti\` of an access token, or its \`fam\`; one that cannot be found or may not be ended is 404.`, credential: "optional", body: RevokeInput, bodyOptional: true, answers: revoked },
    async (who, { body }, c) => c.json(await revokeTokens(who, body)));
}
