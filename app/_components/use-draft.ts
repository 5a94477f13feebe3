"use client";

import { useState } from "react";
import { isStepUp, keepDraft, type Refusal, refusalText, takeDraft } from "./step-up";

/**
 * What is chosen in a dialog that has no `Form`, and yet is found again by whoever was sent to Keycloak first.
 * @param usual names the draft too, and so must be the same after the way there and back
 * @param mayBeKept false for what should stand in no storage, not even this tab's
 */
export function useDraft<T extends object>(usual: T, mayBeKept: (values: T) => boolean = () => true) {
  const [values, setValues] = useState<T>(() => ({ ...usual, ...(takeDraft(usual) as Partial<T> | null) }));
  return {
    values,
    change: (some: Partial<T>) => setValues((now) => ({ ...now, ...some })),
    /** A failure's words; where it is the question who is there, what was chosen is kept. */
    refused(problem: Refusal): string {
      if (isStepUp(problem) && mayBeKept(values)) keepDraft(usual, values);
      return refusalText(problem);
    },
  };
}
