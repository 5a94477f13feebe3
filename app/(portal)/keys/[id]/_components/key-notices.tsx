import Link from "next/link";
import type { ApiKeyView, KeyReminder } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { Notice } from "@/app/_components/ui/notice";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { reminderWords } from "../../_components/reminder-words";

/** What is to be known before anything else: that the key is over and why, what to do about it, how long it can act. */
export function KeyNotices({ apiKey: key, reminders, isOwn = true }: { apiKey: ApiKeyView; reminders: readonly KeyReminder[]; isOwn?: boolean }) {
  const endsBeforeKey = isOwn && key.status === "active" && key.actsUntil !== null && (key.expiresAt === null || key.expiresAt > key.actsUntil);
  const notices = [
    ...(key.status === "revoked" ? [<Notice key="revoked" tone="bad" title={<>Revoked <RelativeTime at={key.revokedAt} /></>}>{key.revokedReason ? `Reason: ${key.revokedReason}. ` : ""}No call with it is admitted, and that cannot be undone. What it was stays to be read here.</Notice>] : []),
    ...(key.status === "expired" ? [<Notice key="expired" tone="warn" title={<>Expired <RelativeTime at={key.expiresAt} /></>}>No call with it is admitted, until it gets a later expiry in its settings. Or give the programs that need access another key.</Notice>] : []),
    ...(key.status === "disabled" ? [<Notice key="disabled" tone="warn" title="Disabled">Programs that use it are refused until it is enabled again.</Notice>] : []),
    ...reminders.filter((reminder) => reminder.kind !== "expired_recently").map(({ kind, at }) => (
      <Notice key={kind} tone={reminderWords[kind].tone} title={reminderWords[kind].title(key.name)}>{reminderWords[kind].text} ({kind === "old" ? "It was made" : "It ends"} <RelativeTime at={at} />.)</Notice>
    )),
    ...(endsBeforeKey ? [<Notice key="acts" tone="warn" title={<>It stops acting as you <RelativeTime at={key.actsUntil} /></>} action={<Button asChild variant="secondary" size="sm"><Link href="/machine-access">Machine access</Link></Button>}>Your machine access ends before this key does. Renew it by then, or its calls to the engines are refused.</Notice>] : []),
  ];
  return notices.length > 0 ? <div className="mb-6 space-y-3">{notices}</div> : null;
}
