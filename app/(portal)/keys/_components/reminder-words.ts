import type { KeyReminder } from "@/lib/keys/schemas";

type Words = { mark: string; title: (name: string) => string; many: (count: number) => string; text: string; tone: "warn" | "bad"; /** Where on the key's page it is dealt with. */ place: string; action: string };

/** What each reminder says, in the list, on the key's page and on the overview. */
export const reminderWords: Record<KeyReminder["kind"], Words> = {
  earlier_secret_used: {
    mark: "old secret in use", tone: "bad", place: "#rotation", action: "See who calls",
    title: (name) => `The old secret of “${name}” is still called, and soon ends`, many: (count) => `${count} keys are still called with old secrets that soon end`,
    text: "Change the programs that send it before the overlap is over.",
  },
  expired_recently: {
    mark: "just expired", tone: "bad", place: "#settings", action: "See the key",
    title: (name) => `Key “${name}” has expired`, many: (count) => `${count} keys have expired lately`,
    text: "Programs that send it are refused. Give it a later expiry, or them another key.",
  },
  expiring: {
    mark: "expires soon", tone: "warn", place: "#settings", action: "See the key",
    title: (name) => `Key “${name}” expires soon`, many: (count) => `${count} keys expire soon`,
    text: "Give it a later expiry, or change over to a new key before it ends.",
  },
  old: {
    mark: "rotate", tone: "warn", place: "#rotation", action: "Rotate it",
    title: (name) => `The secret of “${name}” is older than 90 days`, many: (count) => `${count} keys have secrets older than 90 days`,
    text: "The longer a secret lives, the more places it has been. Rotate it; the old one can go on for a while.",
  },
};

/** The most urgent first, each kind once. */
export const reminderKinds = ["earlier_secret_used", "expired_recently", "expiring", "old"] as const satisfies readonly KeyReminder["kind"][];
