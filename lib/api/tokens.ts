import { type ApiApp, route } from "@/lib/entry/api";
import { authenticate, refresh } from "@/lib/tokens";
import { AuthenticateInput, RefreshInput, TokenAnswer } from "@/lib/tokens/schemas";
import { named } from "./named";

const Tokens = named(TokenAnswer, "Tokens");
const tag = "Tokens";

/** Short-lived tokens in the words of the older chat client (contract section 6). */
export function tokenRoutes(app: ApiApp): void {
  route(app, { method: "post", path: "/api/v1/chat/authenticate", tag, summary: "Sign in with a password or an API key", credential: "none", body: AuthenticateInput, answers: [{ status: 200, description: "A pair of tokens.", schema: Tokens }] },
    async (caller, { body }, c) => c.json(await authenticate(caller, body)));

  route(app, { method: "post", path: "/api/v1/chat/refresh", tag, summary: "A new pair for a refresh token, which is then spent", credential: "none", body: RefreshInput, answers: [{ status: 200, description: "A new pair.", schema: Tokens }] },
    async (caller, { body }, c) => c.json(await refresh(caller, body)));
}
