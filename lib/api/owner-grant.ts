import type { HttpBindings } from "@hono/node-server";
import { type Context as HonoContext, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { type Context, roleMask } from "@/lib/access";
import { requestIdFrom } from "@/lib/entry/request-id";
import { finishGrant, flowSeconds, safePath, startGrant } from "@/lib/grants";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { findSession } from "@/lib/sessions";
import { getPersonState } from "@/lib/tenants";
import { addressFromDoor, clientAddress } from "@/lib/platform/client-address";

/**
 * The browser's way to give machine access and back. People see these answers, so they are redirects with `?grant=`
 * given, refused or failed, never JSON.
 */
type Env = { Bindings: Partial<HttpBindings> };

export const ownerGrantRoutes = new Hono<Env>();

const https = () => env().AUTH_URL.startsWith("https://");
const cookieName = () => (https() ? "__Host-sluice.grant" : "sluice.grant");

ownerGrantRoutes.get("/start", async (c) => {
  const returnTo = safePath(c.req.query("returnTo"));
  return answer(c, returnTo, async (ctx) => {
    const { url, flowId } = await startGrant(ctx, returnTo);
    setCookie(c, cookieName(), flowId, { httpOnly: true, sameSite: "Lax", path: "/", secure: https(), maxAge: flowSeconds });
    return url;
  });
});

ownerGrantRoutes.get("/callback", async (c) => {
  const fallback = safePath(null);
  return answer(c, fallback, async (ctx) => {
    const flowId = getCookie(c, cookieName()) ?? null;
    deleteCookie(c, cookieName(), { path: "/", secure: https() });
    const { returnTo, outcome } = await finishGrant(ctx, flowId, new URL(c.req.url).searchParams);
    return withOutcome(returnTo, outcome);
  });
});

async function answer(c: HonoContext<Env>, returnTo: string, next: (ctx: Context) => Promise<string>): Promise<Response> {
  c.header("Cache-Control", "no-store");
  c.header("Referrer-Policy", "no-referrer");
  try {
    const ctx = await personOf(c);
    if (!ctx) return c.redirect(`${env().AUTH_URL}/sign-in?returnTo=${encodeURIComponent(returnTo)}`, 302);
    if (ctx.permissions === 0) return c.redirect(`${env().AUTH_URL}/no-access`, 302);
    return c.redirect(await next(ctx), 302);
  } catch (error) {
    logger.warn({ err: error }, "machine access could not be given");
    return c.redirect(withOutcome(returnTo, "failed"), 302);
  }
}

/** The signed-in person, or null; with no permissions when they are switched off or have no role. */
async function personOf(c: HonoContext<Env>): Promise<Context | null> {
  const session = await findSession(c.req.header("cookie") ?? null).catch((error: unknown) => {
    if (isSluiceError(error, "session_expired")) return null;
    throw error;
  });
  if (!session) return null;
  // On our own door the peer is the caller; inside Next.js the door told who it was.
  const socket = c.env?.incoming?.socket;
  const { person, isActive, tenantIsActive } = await getPersonState(session.userId);
  return {
    requestId: requestIdFrom(c.req.header("x-request-id")), tenantId: person.tenantId,
    actor: { type: "user", person, credential: { kind: "session", session: session.handle } },
    permissions: isActive && tenantIsActive ? roleMask(person.role) : 0,
    ip: socket ? clientAddress(socket.remoteAddress, c.req.header("x-forwarded-for")) : addressFromDoor(c.req.raw.headers), userAgent: c.req.header("user-agent")?.slice(0, 400) ?? null,
  };
}

function withOutcome(path: string, outcome: string): string {
  const url = new URL(path, env().AUTH_URL);
  url.searchParams.set("grant", outcome);
  return url.toString();
}
