import { Notice } from "@/app/_components/ui/notice";

const words = {
  done: { tone: "good", title: "Done at Keycloak", text: "Your account is changed. This session goes on." },
  cancelled: { tone: "info", title: "Nothing was changed", text: "You left Keycloak’s page without saving." },
  unknown: { tone: "info", title: "You are back from Keycloak", text: "It did not say whether something was changed." },
  failed: { tone: "warn", title: "Keycloak’s page could not be opened", text: "Nothing was changed. Try again in a moment." },
} as const;

/** How it went at Keycloak, as the way back says. */
export function AccountOutcome({ outcome, className }: { outcome: unknown; className?: string }) {
  if (typeof outcome !== "string" || !Object.hasOwn(words, outcome)) return null;
  const { tone, title, text } = words[outcome as keyof typeof words];
  return <Notice tone={tone} live title={title} className={className}>{text}</Notice>;
}
