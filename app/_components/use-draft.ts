"use client";

import { useState } from "react";
import { useUnsaved } from "./ui/dialog";
import { mustSignIn, keepDraft, type Refusal, refusalText, takeDraft } from "./step-up";

/**
 * What is chosen in a dialog that has no `Form`, and yet is found again by whoever was sent to Keycloak first.
 * @param usual names the draft too, and so must be the same after the way there and back
 * @param isSaved once nothing would be lost any more
 * @param mayBeKept false for what should stand in no storage, not even this tab's
 */
export function useDraft<T extends object>(usual: T, { isSaved = false, mayBeKept = () => true }: { isSaved?: boolean; mayBeKept?: (values: T) => boolean } = {}) {
  const [values, setValues] = useState<T>(() => ({ ...usual, ...(takeDraft(usual) as Partial<T> | null) }));
  useUnsaved(!isSaved && JSON.stringify(values) !== JSON.stringify(usual));
  return {
    values,
    change: (some: Partial<T>) => setValues((now) => ({ ...now, ...some })),
    /** A failure's words; where the person has to sign in first, what was chosen is kept. */
    refused(problem: Refusal): string {
      if (mustSignIn(problem) && mayBeKept(values)) keepDraft(usual, values);
      return refusalText(problem);
    },
  };
}
