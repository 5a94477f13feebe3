"use client";

import { toast } from "sonner";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { setKeyActiveAction } from "../actions";

export function DisableKeyDialog({ apiKey, onClose, onDisabled }: { apiKey: ApiKeyView; onClose: () => void; onDisabled: () => void }) {
  return (
    <Confirm open onOpenChange={(next) => { if (!next) onClose(); }} title={`Disable “${apiKey.name}”?`} action="Disable key" onConfirm={async () => {
      const result = await setKeyActiveAction({ id: apiKey.id, isActive: false });
      onDisabled();
      if (!result.ok) return refusalText(result.problem);
      toast.success(`“${apiKey.name}” is disabled`);
      return null;
    }}>
      <p>Programs that use it are refused until you enable it again.</p>
    </Confirm>
  );
}
