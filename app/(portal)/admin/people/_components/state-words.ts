import type { PersonRow } from "@/lib/people/schemas";
import type { Tone } from "@/app/_components/ui/badge";

/** Whether somebody may act, and who says so. An administrator's word comes first: it is the one that can be lifted here. */
export function stateWords({ is_active: isActive, kept_out: isKeptOut, keycloak_state: state, role }: Pick<PersonRow, "is_active" | "kept_out" | "keycloak_state" | "role">): { label: string; tone: Tone } {
  if (state === "deleted") return { label: "deleted in Keycloak", tone: "bad" };
  if (isKeptOut) return { label: "kept out", tone: "bad" };
  if (state === "disabled") return { label: "disabled in Keycloak", tone: "warn" };
  if (!isActive) return { label: "shut out", tone: "warn" };
  return role ? { label: "active", tone: "good" } : { label: "no role", tone: "neutral" };
}
