import { z } from "@hono/zod-openapi";
import { type ApiApp, type ApiContext, route } from "@/lib/entry/api";
import { readBody } from "@/lib/entry/read-body";
import { receiveLogout } from "@/lib/people";
import { SluiceError } from "@/lib/platform/errors";

const bodyBytesMax = 16 * 1024;
const Form = z.object({ logout_token: z.string().max(bodyBytesMax) }).openapi("BackChannelLogout");

/** Where Keycloak tells of sign-outs. The token is the credential: no cookie counts here, and so no origin either. */
export function backChannelLogoutRoutes(app: ApiApp): void {
  route(app, {
    method: "post", path: "/api/auth/backchannel-logout", tag: "Service", summary: "OpenID Connect Back-Channel Logout 1.0, for the identity provider", credential: "none", form: Form,
    answers: [{ status: 200, description: "The sessions that the token names are over; also when there were none." }],
  }, async (caller, _input, c) => {
    await receiveLogout(caller, await logoutTokenOf(c));
    return c.body(null, 200);
  });
}

async function logoutTokenOf(c: ApiContext): Promise<string> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(c.req.header("content-type") ?? "")) throw new SluiceError("unsupported_media_type", "Send the logout token as application/x-www-form-urlencoded.");
  const tokens = new URLSearchParams(await readBody(c, bodyBytesMax)).getAll("logout_token");
  const [token] = tokens;
  if (!token || tokens.length > 1) throw new SluiceError("bad_request", "Send one logout_token.");
  return token;
}
