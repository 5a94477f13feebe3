import type { Tone } from "@/app/_components/ui/badge";

export type GrantStatus = "missing" | "active" | "needs_reauth" | "owner_disabled";

/** The states of machine access as a person would say them. */
export const grantWords: Record<GrantStatus, { label: string; tone: Tone; text: string }> = {
  missing: { label: "Not given", tone: "neutral", text: "Your API keys can be checked, but calls to Flowise and NFlow are refused until you give machine access." },
  active: { label: "Active", tone: "good", text: "Your API keys can call Flowise and NFlow as you, also while you are away." },
  needs_reauth: { label: "Lost", tone: "warn", text: "Keycloak no longer honours it: it was withdrawn, it ended, or an administrator signed you out. Calls to the engines are refused until you give it again." },
  owner_disabled: { label: "On hold", tone: "bad", text: "Keycloak reports that your account is disabled or may not be used offline. If that is lifted, it works again by itself." },
};

/** Active, and its end near enough to act. */
export const endsSoonWords = { label: "Ends soon", tone: "warn", text: "Your API keys still call Flowise and NFlow as you. Renew it before its end, and nobody will notice anything." } as const satisfies { label: string; tone: Tone; text: string };

type LossReason = "stale" | "ended_at_keycloak" | "consent_withdrawn" | "rotation_lost" | "unreadable" | "subject_changed" | "unknown";

/** Why it was lost, in words. */
export const lossWords: Record<LossReason, string> = {
  stale: "An administrator signed you out everywhere, which ends what you gave before.",
  ended_at_keycloak: "Keycloak has ended it: you withdrew it in your account there, signed out all devices, or its time was over.",
  consent_withdrawn: "You withdrew your consent in your account at Keycloak.",
  rotation_lost: "Keycloak’s last answer never arrived here, and it allows no second try. Nobody did anything wrong.",
  unreadable: "It was encrypted with a key that this installation does not have any more. Your administrator can tell why.",
  subject_changed: "Keycloak’s answer was about another person, so it was given up.",
  unknown: "Keycloak no longer honours it.",
};

export const throughWords = { consent: "Your consent in the browser", password: "A program’s sign-in with your password" } as const;

/** How the way through Keycloak ended, from `?grant=`. */
export const grantOutcomes = {
  given: { tone: "good", title: "Machine access is given", text: "Your API keys can now call the engines as you." },
  refused: { tone: "warn", title: "Machine access was not given", text: "You declined at Keycloak, so nothing has changed." },
  failed: { tone: "bad", title: "Machine access could not be given", text: "Keycloak’s answer could not be used. Try again; if it stays like this, tell your administrator." },
} as const;

export function startGrantUrl(returnTo: string): string {
  return `/api/owner-grant/start?returnTo=${encodeURIComponent(returnTo)}`;
}

/** How many keys lean on it, as part of a sentence. */
export function keysInWords(liveKeys: number): string {
  return liveKeys === 0 ? "no API key of yours" : liveKeys === 1 ? "one API key of yours" : `${liveKeys} API keys of yours`;
}
