"use client";

import { type SubmitEvent, useId, useState } from "react";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogClose, DialogFooter } from "@/app/_components/ui/dialog";
import { Label } from "@/app/_components/ui/label";
import { Notice } from "@/app/_components/ui/notice";
import { Radio } from "@/app/_components/ui/radio";
import { Select } from "@/app/_components/ui/select";
import { useDraft } from "@/app/_components/use-draft";
import type { CreatedKey } from "../../_components/key-form-schema";
import { rotateKeyAction } from "../../actions";

const hour = 3600;
const day = 24 * hour;

const overlaps = [
  { value: 0, label: "Not at all", hint: "It is refused at once. For a secret that leaked." },
  { value: hour, label: "For an hour" },
  { value: day, label: "For a day" },
  { value: 7 * day, label: "For a week" },
  { value: 30 * day, label: "For 30 days", hint: "The longest there is." },
] as const;

const silences = [
  { value: "never", label: "Only when its time is over", seconds: undefined },
  { value: "hour", label: "When unused for an hour", seconds: hour },
  { value: "day", label: "When unused for a day", seconds: day },
  { value: "week", label: "When unused for a week", seconds: 7 * day },
] as const;

type Choice = { overlap: number; silence: (typeof silences)[number]["value"] };
const usual: Choice = { overlap: 7 * day, silence: "never" };

/** Few choices and nothing to type: no schema is needed here, the server parses. */
export function RotateForm({ apiKey, onRotated }: { apiKey: ApiKeyView; onRotated: (made: CreatedKey) => void }) {
  const id = useId();
  const { values: { overlap, silence }, change, refused } = useDraft(usual);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  // A silence that is no shorter than the overlap would say nothing.
  const fitting = silences.filter((choice) => choice.seconds === undefined || choice.seconds < overlap);
  const chosen = fitting.find((choice) => choice.value === silence) ?? silences[0];

  async function rotate(event: SubmitEvent) {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      const result = await rotateKeyAction({ id: apiKey.id, rotation: { overlapSeconds: overlap, ...(overlap > 0 && chosen.seconds !== undefined && { endWhenQuietSeconds: chosen.seconds }) } });
      if (result.ok) onRotated(result.data);
      else setFailure(refused(result.problem));
    } catch {
      setFailure("The portal did not answer. Close this and look whether an overlap runs before you try again.");
    } finally {
      setBusy(false);
    }
  }

  return (
    <form method="post" className="flex min-h-0 flex-1 flex-col" onSubmit={(event) => void rotate(event)}>
      <DialogBody className="space-y-5">
        {failure && <Notice tone="bad" live title="The key was not rotated">{failure}</Notice>}
        <fieldset className="space-y-2.5">
          <legend className="mb-1.5 text-sm font-medium">The old secret goes on working</legend>
          {overlaps.map((choice) => <Radio key={choice.value} name={id} checked={overlap === choice.value} onChange={() => change({ overlap: choice.value })} hint={"hint" in choice ? choice.hint : undefined}>{choice.label}</Radio>)}
        </fieldset>
        {fitting.length > 1 && (
          <div className="space-y-1.5">
            <Label htmlFor={`${id}-silence`}>and ends</Label>
            <Select id={`${id}-silence`} value={chosen.value} onValueChange={(value) => change({ silence: value })} choices={fitting} />
          </div>
        )}
      </DialogBody>
      <DialogFooter>
        <DialogClose asChild><Button variant="secondary">Cancel</Button></DialogClose>
        <Button type="submit" busy={busy}>Rotate key</Button>
      </DialogFooter>
    </form>
  );
}
