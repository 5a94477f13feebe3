import type { Tone } from "@/app/_components/ui/badge";

export type GrantStatus = "missing" | "active" | "needs_reauth" | "owner_disabled";

/** The states of machine access as a person would say them. */
export const grantWords: Record<GrantStatus, { label: string; tone: Tone; text: string }> = {
  missing: { label: "Not given", tone: "neutral", text: "Your API keys can be checked, but calls to Flowise and NFlow are refused until you give machine access." },
  active: { label: "Active", tone: "good", text: "Your API keys can call Flowise and NFlow as you, also while you are away." },
  needs_reauth: { label: "Lost", tone: "warn", text: "Keycloak no longer honours it: it was withdrawn, it ended, or an administrator signed you out. Calls to the engines are refused until you give it again." },
  owner_disabled: { label: "On hold", tone: "bad", text: "Keycloak reports that your account is disabled or may not be used offline. If that is lifted, it works again by itself." },
};

/** How the way through Keycloak ended, from `?grant=`. */
export const grantOutcomes = {
  given: { tone: "good", title: "Machine access is given", text: "Your API keys can now call the engines as you." },
  refused: { tone: "warn", title: "Machine access was not given", text: "You declined at Keycloak, so nothing has changed." },
  failed: { tone: "bad", title: "Machine access could not be given", text: "Keycloak’s answer could not be used. Try again; if it stays like this, tell your administrator." },
} as const;

export function startGrantUrl(returnTo: string): string {
  return `/api/owner-grant/start?returnTo=${encodeURIComponent(returnTo)}`;
}
