"use client";

import { useId } from "react";
import type { PersonDetails, RevokePersonAnswer } from "@/lib/people/schemas";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Checkbox } from "@/app/_components/ui/checkbox";
import { useDraft } from "@/app/_components/use-draft";
import { revokePersonAction } from "../../actions";

type Part = "sessions" | "tokens" | "keys" | "keys_for_others" | "grant" | "disable";
const parts: { part: Part; label: string; hint: string }[] = [
  { part: "sessions", label: "Sessions", hint: "Every browser is signed out." },
  { part: "tokens", label: "Programs’ tokens", hint: "Access and refresh tokens are refused." },
  { part: "keys", label: "API keys", hint: "Revoked for good, with whatever runs on them." },
  { part: "keys_for_others", label: "Keys made for other people", hint: "Revoked for good, together with the keys that those created." },
  { part: "grant", label: "Machine access", hint: "Taken away; they would have to give it again." },
  { part: "disable", label: "And keep them out", hint: "They cannot sign in again until an administrator lets them in. Otherwise they may, at once." },
];

const usual: Record<Part, boolean> = { sessions: true, tokens: true, keys: true, keys_for_others: true, grant: true, disable: false };

/** What ends is chosen here; the name is typed, since revoked keys do not come back. */
export function CutOffDialog({ person, isSelf, onClose, onEnded }: { person: PersonDetails; isSelf: boolean; onClose: () => void; onEnded: (answer: RevokePersonAnswer) => void }) {
  const id = useId();
  const { values: chosen, change, refused } = useDraft(usual);

  async function cutOff(): Promise<string | null> {
    if (!Object.values(chosen).some(Boolean)) return "Choose what is to end.";
    const result = await revokePersonAction({ id: person.id, ...chosen });
    if (!result.ok) return refused(result.problem);
    onEnded(result.data);
    return null;
  }

  return (
    <Confirm open onOpenChange={(next) => { if (!next) onClose(); }} title={`Cut ${person.username} off?`} action="Cut off" phrase={person.username} onConfirm={cutOff}>
      <p>This ends at once, on every server:</p>
      <fieldset className="space-y-2.5 rounded-md border p-3 text-foreground">
        <legend className="sr-only">What ends</legend>
        {parts.filter(({ part }) => part !== "disable" || !isSelf).map(({ part, label, hint }) => (
          <label key={part} htmlFor={`${id}-${part}`} className="flex gap-2.5">
            <Checkbox id={`${id}-${part}`} checked={chosen[part]} onCheckedChange={(checked) => change({ [part]: checked === true })} className="mt-px" />
            <span>{label}<span className="block text-[0.8125rem] text-muted">{hint}</span></span>
          </label>
        ))}
      </fieldset>
    </Confirm>
  );
}
