import { type Context, requirePermission } from "@/lib/access";
import { isSluiceError } from "@/lib/platform/errors";
import { canReadKeycloak, getKeycloakUser } from "@/lib/platform/keycloak-admin";
import { endAccess } from "./end-access";
import { readPersonRow } from "./list-people";
import { findWhose, refuseSelf } from "./revoke-person";
import type { PersonRow, UpdatePersonInput } from "./schemas";

/**
 * Keeps somebody out (sessions and programs' tokens end; keys and machine access stay, but are refused), or lets them in again as
 * far as Keycloak has them enabled.
 *
 * @throws SluiceError `not_found`; `conflict` when they would keep themselves out; `store_unavailable`
 */
export async function updatePerson(ctx: Context, userId: string, input: UpdatePersonInput): Promise<PersonRow> {
  requirePermission(ctx, "admin:users");
  const person = await findWhose(userId);
  if (!input.is_active) refuseSelf(ctx, person.userId);
  const keycloakState = input.is_active ? await stateNow(person.sub) : undefined;
  const ends = !input.is_active;
  await endAccess(ctx, person, { sessions: ends, tokens: ends, keys: false, grant: false, access: { keptOut: !input.is_active, ...(keycloakState && { keycloakState }) } }, "kept_out");
  return readPersonRow(person.userId);
}

/** What we last saw may be half a minute old, and who lets somebody in has perhaps just enabled them there. Silence leaves it as it is. */
async function stateNow(sub: string): Promise<"enabled" | "disabled" | "deleted" | undefined> {
  if (!canReadKeycloak()) return undefined;
  try {
    const user = await getKeycloakUser(sub, { deadlineMs: 3000 });
    return user ? (user.enabled ? "enabled" : "disabled") : "deleted";
  } catch (error) {
    if (isSluiceError(error, "identity_unavailable", "store_unavailable")) return undefined;
    throw error;
  }
}
