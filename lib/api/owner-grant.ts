import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { type Context, roleMask } from "@/lib/access";
import { type ApiApp, type ApiContext, plainGet } from "@/lib/entry/api";
import { finishGrant, flowSeconds, safePath, startGrant, startRenewal } from "@/lib/grants";
import { sha256Base64url } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { findSession } from "@/lib/sessions";
import { getPersonState } from "@/lib/tenants";

/**
 * The browser's way to give machine access and back. People see these answers, so they are redirects with `?grant=`
 * given, refused or failed, never JSON.
 */
export function ownerGrantRoutes(app: ApiApp): void {
  plainGet(app, "/api/owner-grant/start", async (c) => {
    const returnTo = safePath(c.req.query("returnTo"));
    return answer(c, returnTo, async (ctx) => {
      const { url, flowId } = await startGrant(ctx, returnTo);
      setFlowCookie(c, flowId, url);
      return url;
    });
  });

  // The hop after a sign-in: on to where it was to lead, by way of Keycloak when machine access is due for renewal. It never shows a page.
  plainGet(app, "/api/owner-grant/renew", async (c) => {
    const returnTo = safePath(c.req.query("returnTo"));
    const onwards = `${env().AUTH_URL}${returnTo}`;
    return answer(c, returnTo, async (ctx) => {
      const renewal = await startRenewal(ctx, returnTo);
      if (!renewal) return onwards;
      setFlowCookie(c, renewal.flowId, renewal.url);
      return renewal.url;
    }, { failed: onwards });
  });

  plainGet(app, "/api/owner-grant/callback", async (c) => {
    const fallback = safePath(null);
    return answer(c, fallback, async (ctx) => {
      const query = new URL(c.req.url).searchParams;
      const name = cookieName(query.get("state"));
      const flowId = getCookie(c, name) ?? null;
      deleteCookie(c, name, { path: "/", secure: https() });
      const { returnTo, outcome } = await finishGrant(ctx, flowId, query);
      return outcome === "silent" ? `${env().AUTH_URL}${returnTo}` : withOutcome(returnTo, outcome);
    });
  });
}

const https = () => env().AUTH_URL.startsWith("https://");
const cookiePrefix = () => (https() ? "__Host-sluice.grant." : "sluice.grant.");
/** A cookie for each way through Keycloak: tabs that are restored together all renew machine access at their sign-in. */
const cookieName = (state: string | null) => cookiePrefix() + sha256Base64url(state ?? "").slice(0, 22);
const flowsMax = 6;

function setFlowCookie(c: ApiContext, flowId: string, url: string): void {
  // Browsers send older cookies first (RFC 6265, 5.4).
  const known = Object.keys(getCookie(c)).filter((name) => name.startsWith(cookiePrefix()));
  for (const name of known.slice(0, Math.max(0, known.length - flowsMax + 1))) deleteCookie(c, name, { path: "/", secure: https() });
  setCookie(c, cookieName(new URL(url).searchParams.get("state")), flowId, { httpOnly: true, sameSite: "Lax", path: "/", secure: https(), maxAge: flowSeconds });
}

async function answer(c: ApiContext, returnTo: string, next: (ctx: Context) => Promise<string>, options: { failed?: string } = {}): Promise<Response> {
  c.header("Cache-Control", "no-store");
  c.header("Referrer-Policy", "no-referrer");
  try {
    const ctx = await personOf(c);
    if (!ctx) return c.redirect(`${env().AUTH_URL}/sign-in?returnTo=${encodeURIComponent(returnTo)}`, 302);
    if (ctx.permissions === 0) return c.redirect(`${env().AUTH_URL}/no-access`, 302);
    return c.redirect(await next(ctx), 302);
  } catch (error) {
    logger.warn({ err: error }, "machine access could not be given");
    return c.redirect(options.failed ?? withOutcome(returnTo, "failed"), 302);
  }
}

/** The signed-in person, or null; with no permissions when they are switched off or have no role. */
async function personOf(c: ApiContext): Promise<Context | null> {
  const session = await findSession(c.req.header("cookie") ?? null).catch((error: unknown) => {
    if (isSluiceError(error, "session_expired")) return null;
    throw error;
  });
  if (!session) return null;
  const { person, isActive, tenantIsActive } = await getPersonState(session.userId);
  return {
    ...c.get("caller"), tenantId: person.tenantId,
    actor: { type: "user", person, credential: { kind: "session", session: session.handle } },
    permissions: isActive && tenantIsActive ? roleMask(person.role) : 0,
  };
}

function withOutcome(path: string, outcome: string): string {
  const url = new URL(path, env().AUTH_URL);
  url.searchParams.set("grant", outcome);
  return url.toString();
}
