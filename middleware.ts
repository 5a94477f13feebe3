import { randomBytes, randomUUID } from "node:crypto";
import { type NextRequest, NextResponse } from "next/server";

/**
 * The first glance at page navigations: request id, security headers, and a hint to sign in for who clearly is not. It
 * reads no role, no token and no store, and grants nothing: every page, action and route checks for itself.
 */
export const config = {
  runtime: "nodejs",
  matcher: ["/((?!api(?:/|$)|_next(?:/|$)|\\.well-known/|health$|info$|icon\\.svg$|mark\\.svg$).*)"],
};

const sessionCookies = ["__Host-sluice.session", "sluice.session"];
const portal = /^\/(?:overview|chatflows|nflow|keys|usage|requests|machine-access|sessions|tokens|admin)(?:\/|$)/;
const returnToMax = 2000;
const requestIdShape = /^[A-Za-z0-9._-]{1,128}$/;

export function middleware(request: NextRequest): NextResponse {
  const { pathname, search } = request.nextUrl;
  const sentId = request.headers.get("x-request-id");
  const requestId = sentId && requestIdShape.test(sentId) ? sentId : randomUUID();
  const nonce = randomBytes(16).toString("base64");
  const policy = contentSecurityPolicy(nonce);
  const base = process.env.AUTH_URL ?? request.nextUrl.origin;

  // A server action is no navigation: it answers for itself, and a redirect would swallow what was sent.
  const isNavigation = request.method === "GET" || request.method === "HEAD";
  if (isNavigation && portal.test(pathname) && !sessionCookies.some((name) => request.cookies.has(name))) {
    // A redirect carries each character up to three times; what would not fit into its header is forgotten.
    const wanted = encodeURIComponent(pathname + search);
    const target = wanted.length <= returnToMax ? `/sign-in?returnTo=${wanted}` : "/sign-in";
    return withHeaders(NextResponse.redirect(new URL(target, base), 307), requestId, policy, base);
  }

  const inner = new Headers(request.headers);
  // What only we may say to the pages: nobody outside can pretend to have passed here, or to be somebody.
  for (const name of [...inner.keys()]) if (/^x-(?:middleware|user)-/i.test(name)) inner.delete(name);
  inner.set("x-request-id", requestId);
  inner.set("x-nonce", nonce);
  inner.set("x-sluice-path", pathname + search);
  inner.set("content-security-policy", policy);
  return withHeaders(NextResponse.next({ request: { headers: inner } }), requestId, policy, base);
}

function withHeaders(response: NextResponse, requestId: string, policy: string, base: string): NextResponse {
  const { headers } = response;
  headers.set("X-Request-Id", requestId);
  headers.set("Content-Security-Policy", policy);
  headers.set("Referrer-Policy", "strict-origin-when-cross-origin");
  headers.set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("X-Frame-Options", "DENY");
  if (base.startsWith("https:")) headers.set("Strict-Transport-Security", "max-age=63072000; includeSubDomains");
  return response;
}

/**
 * Scripts run by nonce only. Styles may be inline: Radix and sonner position things with them, and a style runs no code.
 * Signing in and out without script posts a form that is redirected to the identity provider, so its origin is named.
 */
function contentSecurityPolicy(nonce: string): string {
  const dev = process.env.NODE_ENV === "development";
  const issuer = process.env.KEYCLOAK_ISSUER;
  const identity = issuer && URL.canParse(issuer) ? ` ${new URL(issuer).origin}` : "";
  return [
    "default-src 'self'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'${dev ? " 'unsafe-eval'" : ""}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    `connect-src 'self'${dev ? " ws:" : ""}`,
    "object-src 'none'",
    "base-uri 'none'",
    `form-action 'self'${identity}`,
    "frame-ancestors 'none'",
  ].join("; ");
}
