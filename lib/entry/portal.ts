import "server-only";
import { headers } from "next/headers";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { type Problem, toProblem } from "@/lib/platform/problem";
import { readWithin } from "@/lib/platform/within";
import { knownFailure } from "./known-failure";
import { requestIdFrom } from "./request-id";

export { permissionNames, permissionWords, type Role, roleHolds, permissionMask, permissionsOf } from "@/lib/access";
export { ownPath } from "@/lib/platform/own-path";
export { type Problem, problems } from "@/lib/platform/problem";
export type { ErrorCode } from "@/lib/platform/errors";

/** What pages may say of this installation. `contact` is whom to ask, in the operator's words, or null. */
export function portalFacts(): { baseUrl: string; /** Keycloak's own pages about one's account. */ accountUrl: string; /** Whether to offer "Create an account". */ mayRegister: boolean; contact: string | null; flowiseAuth: "user-token" | "service-key"; keyPrefix: string } {
  const { AUTH_URL, CONTACT, FLOWISE_AUTH, API_KEY_PREFIX, KEYCLOAK_ISSUER, REGISTRATION_LINK } = env();
  return { baseUrl: AUTH_URL, accountUrl: `${KEYCLOAK_ISSUER}/account`, mayRegister: REGISTRATION_LINK, contact: CONTACT ?? null, flowiseAuth: FLOWISE_AUTH, keyPrefix: API_KEY_PREFIX };
}

/** What a page and its part may take that wait for an engine: longer than the engine's own deadline. */
export const engineMs = 35_000;

export type Attempt<T> = { ok: true; data: T } | { ok: false; problem: Problem };

/** How long a part of a page may take. A page has 7 s, and then shows nothing of what was read in time. */
const partMs = 5000;

/**
 * Runs one part of a page whose failure must not take the page with it: an engine that is away leaves its panel empty
 * and says so. Redirects and `notFound()` of Next.js pass through.
 *
 * @param ms after which a store counts as away; more for what waits for an engine, which has deadlines of its own.
 */
export async function attempt<T>(work: () => Promise<T>, ms = partMs): Promise<Attempt<T>> {
  try {
    return { ok: true, data: await readWithin(ms, work()) };
  } catch (given) {
    if (typeof given === "object" && given !== null && "digest" in given && String(given.digest).startsWith("NEXT_")) throw given;
    const error = knownFailure(given);
    const sent = await headers();
    const requestId = requestIdFrom(sent.get("x-request-id"));
    if (!isSluiceError(given) || isSluiceError(given, "internal_error")) logger.error({ err: given, requestId }, "part of a page failed");
    return { ok: false, problem: toProblem(error, { baseUrl: env().AUTH_URL, path: sent.get("x-sluice-path") ?? "", requestId }) };
  }
}
