"use client";

import { useState } from "react";
import { toast } from "sonner";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { removeGrantAction } from "../actions";
import { keysInWords } from "./grant-words";

export function RemoveGrant({ liveKeys }: { /** Null where they may not be seen. */ liveKeys: number | null }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button variant="secondary" onClick={() => setAsking(true)}>Remove</Button>
      <Confirm open={isAsking} onOpenChange={setAsking} title="Remove machine access?" action="Remove machine access" onConfirm={async () => {
        const result = await removeGrantAction({});
        if (!result.ok) return refusalText(result.problem);
        toast.success("Machine access is removed");
        return null;
      }}>
        <p>Calls to Flowise and NFlow with any of your API keys are refused from now on{liveKeys !== null && liveKeys > 0 ? `; ${keysInWords(liveKeys)} ${liveKeys === 1 ? "leans" : "lean"} on it` : ""}. The keys themselves stay.</p>
        <p>You can give it again at any time.</p>
      </Confirm>
    </>
  );
}
