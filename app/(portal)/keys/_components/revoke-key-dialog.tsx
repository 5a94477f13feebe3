"use client";

import { useId, useState } from "react";
import { toast } from "sonner";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { refusalText } from "@/app/_components/step-up";
import { Checkbox } from "@/app/_components/ui/checkbox";
import { revokeKeyAction } from "../actions";

type RevokeKeyDialogProps = { apiKey: ApiKeyView; /** Names of the keys that it created and that still live. */ created?: readonly string[]; onClose: () => void; onRevoked: () => void };

const namedMax = 5;

/** Revokes one key, once its name is typed; with it those that it made, if that is wished. */
export function RevokeKeyDialog({ apiKey, created = [], onClose, onRevoked }: RevokeKeyDialogProps) {
  const id = useId();
  const [cascade, setCascade] = useState(created.length > 0);
  const rest = created.length - namedMax;
  return (
    <Confirm open onOpenChange={(next) => { if (!next) onClose(); }} title={`Revoke “${apiKey.name}”?`} phrase={apiKey.name} action="Revoke key" onConfirm={async () => {
      const result = await revokeKeyAction({ id: apiKey.id, cascade });
      if (!result.ok) return refusalText(result.problem);
      if (result.data.message) toast.warning(result.data.message);
      onRevoked();
      return null;
    }}>
      <p>Programs that use <code className="font-mono">{apiKey.start}…{apiKey.last4}</code> are refused from now on, everywhere and at once. This cannot be undone.</p>
      {created.length > 0 && (
        <label htmlFor={id} className="flex gap-2.5 rounded-md border p-3 text-foreground">
          <Checkbox id={id} checked={cascade} onCheckedChange={(checked) => setCascade(checked === true)} className="mt-px" />
          <span>Also {created.length === 1 ? "the key" : `the ${created.length} keys`} that it created<span className="block text-[0.8125rem] wrap-anywhere text-muted">{created.slice(0, namedMax).join(", ")}{rest > 0 && ` and ${rest} more`}</span></span>
        </label>
      )}
    </Confirm>
  );
}
