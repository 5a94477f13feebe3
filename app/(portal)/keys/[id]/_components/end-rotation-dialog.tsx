"use client";

import { toast } from "sonner";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { endRotationAction } from "../../actions";

export function EndRotationDialog({ apiKey, lastUsedAt, onClose, onEnded }: { apiKey: ApiKeyView; lastUsedAt: string | null; onClose: () => void; onEnded: () => void }) {
  return (
    <Confirm open onOpenChange={(next) => { if (!next) onClose(); }} title="End the overlap now?" action="End it now" onConfirm={async () => {
      const result = await endRotationAction({ id: apiKey.id });
      if (!result.ok) return refusalText(result.problem);
      toast.success("The old secret is refused from now on");
      onEnded();
      return null;
    }}>
      <p>Programs that still send the old secret of “{apiKey.name}” are refused from now on. The new one goes on.</p>
      <p>{lastUsedAt ? <>The old one was last used <RelativeTime at={lastUsedAt} />.</> : "The old one was not used since the rotation."}</p>
    </Confirm>
  );
}
