import type { Context } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { keycloakClient } from "@/lib/platform/keycloak";
import { startGrant } from "./give-grant";
import { findGrantRow } from "./vault";

/** Without a known end Keycloak has not said yet whether there is one: then it is renewed after this. */
const renewAfterMs = 30 * 86_400_000;

/**
 * Starts renewing the caller's machine access without a page, when they have just signed in and over half of its time is gone. What
 * was lost or taken back is not brought back: that is for its owner to give.
 * @returns null when nothing is due.
 */
export async function startRenewal(ctx: Context, returnTo: string): Promise<{ url: string; flowId: string } | null> {
  if (ctx.actor.type !== "user") return null;
  const row = await findGrantRow(ctx.actor.person.userId);
  // One that was given by password is renewed by the next sign-in of that kind.
  if (!row?.sealed || row.status !== "active" || row.clientId !== keycloakClient("machine").id) return null;
  const goneMs = now() - row.givenAt.getTime();
  const isDue = row.absDeadlineAt ? goneMs > row.absDeadlineAt.getTime() - now() : goneMs > renewAfterMs;
  return isDue ? startGrant(ctx, returnTo, { silent: true }) : null;
}
