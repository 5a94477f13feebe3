import { Badge } from "@/app/_components/ui/badge";
import type { KeyReminder } from "@/lib/keys/schemas";
import { reminderWords } from "./reminder-words";

/** A word beside a key's name. */
export function ReminderMark({ kind }: { kind: KeyReminder["kind"] }) {
  const { mark, tone } = reminderWords[kind];
  return <Badge tone={tone}>{mark}</Badge>;
}
