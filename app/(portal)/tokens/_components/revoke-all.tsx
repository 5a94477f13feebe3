"use client";

import { useState } from "react";
import { toast } from "sonner";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { revokeAllFamiliesAction } from "../actions";

export function RevokeAll({ count }: { count: number }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button variant="secondary" onClick={() => setAsking(true)}>End all</Button>
      <Confirm open={isAsking} onOpenChange={setAsking} title={`End all ${count} sign-ins?`} action="End all" onConfirm={async () => {
        const result = await revokeAllFamiliesAction({});
        if (!result.ok) return refusalText(result.problem);
        toast.success(result.data.message);
        return null;
      }}>
        <p>All of these programs are refused from now on, everywhere and at once, until they sign in anew. Your API keys and your own sessions go on.</p>
      </Confirm>
    </>
  );
}
