export type Attention = { tone: "warn" | "bad"; title: string; text: string; href: string; action: string };

export type Situation = {
  /** Null where it could not be read. */
  grant: string | null;
  isGrantNeeded: boolean;
  keys: { name: string; status: string; expiresAt: string | null }[];
  credits: { available: number; total: number } | null;
  now: number;
};

const soonMs = 7 * 86_400_000;

/** What wants a person's eye, most urgent first; empty when all is well. */
export function attentionFor({ grant, isGrantNeeded, keys, credits, now }: Situation): Attention[] {
  const items: Attention[] = [];
  const live = keys.filter((key) => key.status === "active");
  if (grant === "needs_reauth") items.push({ tone: "bad", title: "Machine access is lost", text: "Calls with your keys are refused until you give it again.", href: "/machine-access", action: "Give it again" });
  if (grant === "owner_disabled") items.push({ tone: "bad", title: "Machine access is on hold", text: "Keycloak reports that your account may not be used offline.", href: "/machine-access", action: "See why" });
  if (grant === "missing" && isGrantNeeded && live.length > 0) items.push({ tone: "warn", title: "Your keys cannot act as you yet", text: "Give machine access once, and they can call the engines.", href: "/machine-access", action: "Give machine access" });
  if (credits && credits.available <= 0) items.push({ tone: "bad", title: "No credits are left", text: "Chatflows do not answer until your administrator adds some.", href: "/chatflows", action: "Chatflows" });
  else if (credits && credits.total > 0 && credits.available < 50) items.push({ tone: "warn", title: "Credits run low", text: `${credits.available} are left.`, href: "/chatflows", action: "Chatflows" });
  const ending = live.filter((key) => key.expiresAt && Date.parse(key.expiresAt) - now < soonMs);
  if (ending.length > 0) items.push({ tone: "warn", title: ending.length === 1 ? `Key “${ending[0]?.name}” expires soon` : `${ending.length} keys expire soon`, text: "Create a new key and change over before it does.", href: "/keys?status=active", action: "See keys" });
  return items;
}
