import type { KeyReminder } from "@/lib/keys/schemas";
import { reminderKinds, reminderWords } from "../../keys/_components/reminder-words";

export type Attention = { tone: "warn" | "bad"; title: string; text: string; href: string; action: string };

export type Situation = {
  /** Null where it could not be read. */
  grant: string | null;
  /** When machine access that ends soon ends, already in words; null otherwise. */
  grantEnds?: string | null;
  isGrantNeeded: boolean;
  keys: { status: string }[];
  reminders: KeyReminder[];
  credits: { available: number; total: number } | null;
};

/** Where the keys of a kind stand first. */
const listOf: Record<KeyReminder["kind"], string> = {
  earlier_secret_used: "/keys?status=active", expired_recently: "/keys?status=expired&sort=expiresAt&order=desc", expiring: "/keys?status=active&sort=expiresAt", old: "/keys?status=active&order=asc",
};

/** What wants a person's eye, most urgent first; empty when all is well. */
export function attentionFor({ grant, grantEnds, isGrantNeeded, keys, reminders, credits }: Situation): Attention[] {
  const items: Attention[] = [];
  const live = keys.filter((key) => key.status === "active");
  if (grant === "needs_reauth") items.push({ tone: "bad", title: "Machine access is lost", text: "Calls with your keys are refused until you give it again.", href: "/machine-access", action: "Give it again" });
  if (grant === "owner_disabled") items.push({ tone: "bad", title: "Machine access is on hold", text: "Keycloak reports that your account may not be used offline.", href: "/machine-access", action: "See why" });
  if (grant === "active" && grantEnds) items.push({ tone: "warn", title: `Machine access ends ${grantEnds}`, text: "After that, calls with your keys are refused until you give it again. Renewing it now takes a moment.", href: "/machine-access", action: "Renew it" });
  if (grant === "missing" && isGrantNeeded && live.length > 0) items.push({ tone: "warn", title: "Your keys cannot act as you yet", text: "Give machine access once, and they can call the engines.", href: "/machine-access", action: "Give machine access" });
  if (credits && credits.available <= 0) items.push({ tone: "bad", title: "No credits are left", text: "Chatflows do not answer until your administrator adds some.", href: "/chatflows", action: "Chatflows" });
  else if (credits && credits.total > 0 && credits.available < 50) items.push({ tone: "warn", title: "Credits run low", text: `${credits.available} are left.`, href: "/chatflows", action: "Chatflows" });
  for (const kind of reminderKinds) {
    const of = reminders.filter((reminder) => reminder.kind === kind);
    const [first] = of;
    if (!first) continue;
    const { tone, title, many, text, place, action } = reminderWords[kind];
    items.push(of.length === 1
      ? { tone, title: title(first.name), text, href: `/keys/${first.apiKeyId}${place}`, action }
      : { tone, title: many(of.length), text, href: listOf[kind], action: "See keys" });
  }
  return items;
}
