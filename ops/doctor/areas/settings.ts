import { adminTokenMin, type Env } from "@/lib/platform/env";
import { type Area, failed, notApplicable, passed, type Verdict } from "../check";

const cure = "correct it in the environment or in .env; .env.example explains every variable";

/** What can be said without asking anybody. `lines` are the parser's, one for each unusable setting. */
export function settingsArea(env: Env | null, lines: string[]): Area {
  const name = "settings";
  if (!env) return { name, checks: lines.map((line) => ({ name: line, cure, run: async () => failed("the product refuses to start", cure) })) };
  const check = (title: string, judge: () => Verdict) => ({ name: title, cure, run: async () => judge() });
  return {
    name,
    checks: [
      check("all of them parse", () => passed("as the product reads them")),
      check("AUTH_URL is an address that people can use", () => judgeAddress(env.AUTH_URL)),
      check("key rings", () => passed(`SESSION_KEKS ${kids(env.SESSION_KEKS)}, VAULT_KEKS ${kids(env.VAULT_KEKS)}; each key has 32 bytes`)),
      check("ADMIN_TOKEN", () => judgeAdminToken(env.ADMIN_TOKEN)),
      check("NEXT_SERVER_ACTIONS_ENCRYPTION_KEY", () => judgeActionsKey(env.NEXT_SERVER_ACTIONS_ENCRYPTION_KEY)),
    ],
  };
}

const kids = (ring: Env["SESSION_KEKS"]) => ring.map((key) => key.kid).join(", ");

/** https or localhost is the parser's to ask for; here is what it lets pass and what breaks later. */
export function judgeAddress(authUrl: string): Verdict {
  const url = new URL(authUrl);
  if (url.hostname === "127.0.0.1" || url.hostname === "[::1]") return failed(`${authUrl} is a number`, `write http://localhost${url.port && `:${url.port}`}: Next.js answers as localhost, so that a sign-in begun at a number never comes back`);
  if (url.pathname !== "/" || url.search || url.hash) return failed(`${authUrl} has a path`, `leave only ${url.origin}: the portal is served from the root of its own name`);
  return url.protocol === "https:" ? passed(authUrl) : passed(authUrl, "plain http is for this machine alone");
}

export function judgeActionsKey(key: string | undefined): Verdict {
  if (!key) return notApplicable("not set: enough for one process that never restarts under an open page; several replicas need it");
  const bytes = Buffer.from(key, "base64").length;
  if (bytes !== 32) return failed(`decodes to ${bytes} bytes`, "make one with `openssl rand -base64 32`, the same on every replica");
  return passed("32 bytes");
}

/** The product starts with a short one, and keeps the door closed. */
export function judgeAdminToken(token: string | undefined): Verdict {
  if (!token) return notApplicable("not set: the bootstrap door is closed");
  if (token.length < adminTokenMin) return failed(`has ${token.length} characters, so the bootstrap door is closed`, "make one with `openssl rand -base64 33`, or take it out");
  return passed("the bootstrap door is open; take the token out when each tenant has its first key");
}
