"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { revokeKeysAction } from "../actions";

/** Several keys at once, in one transaction: all of them or none. */
export function BulkRevokeDialog({ chosen, onClose, onRevoked }: { chosen: ApiKeyView[]; onClose: () => void; onRevoked: () => void }) {
  const queries = useQueryClient();
  // The list goes on refreshing itself behind the question; what was asked is what is done.
  const [keys] = useState(chosen);
  const what = keys.length === 1 ? "1 key" : `${keys.length} keys`;
  return (
    <Confirm open onOpenChange={(next) => { if (!next) onClose(); }} title={`Revoke ${what}?`} phrase={`revoke ${what}`} action={`Revoke ${what}`} onConfirm={async () => {
      const result = await revokeKeysAction({ ids: keys.map((key) => key.id) });
      await queries.invalidateQueries({ queryKey: ["api-keys"] });
      if (!result.ok) return refusalText(result.problem);
      toast.success(keys.length === 1 ? "1 key is revoked" : `${keys.length} keys are revoked`, { description: "No call with them is admitted any more." });
      onRevoked();
      return null;
    }}>
      <p>Programs that use {keys.length === 1 ? "it" : "them"} are refused from now on, everywhere and at once. This cannot be undone.</p>
      <ul aria-label="Keys to revoke" tabIndex={0} className="max-h-44 divide-y overflow-y-auto rounded-md border text-foreground">
        {keys.map((key) => (
          <li key={key.id} className="flex flex-wrap items-baseline justify-between gap-x-3 px-3 py-1.5"><span className="min-w-0 wrap-anywhere">{key.name}</span><span className="font-mono text-xs text-muted">{key.start}…{key.last4}</span></li>
        ))}
      </ul>
    </Confirm>
  );
}
