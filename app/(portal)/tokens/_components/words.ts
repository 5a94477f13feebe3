import type { FamilyView } from "@/lib/tokens/schemas";

/** How a program came by its tokens. */
export const originWords: Record<FamilyView["origin"], string> = { password: "With your password", apiKey: "With an API key", session: "From a session of yours here", keycloak: "With a Keycloak token" };

/** What a program says of itself, as far as one would read it. */
export function agentWords(userAgent: string | null): string {
  const text = userAgent?.trim();
  return text ? (text.length > 80 ? `${text.slice(0, 80)}…` : text) : "A program that does not say its name";
}

const shownMax = 4;

export function permissionsInWords(permissions: string[]): string {
  if (permissions.length === 0) return "nothing now";
  const rest = permissions.length - shownMax;
  return rest > 1 ? `${permissions.slice(0, shownMax).join(", ")} and ${rest} more` : permissions.join(", ");
}

export const chatflowsInWords = (count: number) => (count === 1 ? "1 chatflow" : `${count} chatflows`);
