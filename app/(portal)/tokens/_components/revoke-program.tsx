"use client";

import { useState } from "react";
import { toast } from "sonner";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { revokeFamilyAction } from "../actions";

export function RevokeProgram({ id, name }: { id: string; name: string }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button variant="secondary" size="sm" onClick={() => setAsking(true)}>End<span className="sr-only"> {name}</span></Button>
      <Confirm open={isAsking} onOpenChange={setAsking} title="End this sign-in?" action="End sign-in" onConfirm={async () => {
        const result = await revokeFamilyAction({ id });
        if (!result.ok) return refusalText(result.problem);
        toast.success("The program is signed out");
        return null;
      }}>
        <p className="wrap-anywhere">{name} is refused from now on, everywhere and at once, until it signs in anew.</p>
        <p>Whoever has the key or password that it came with can do that. If you do not know this program, revoke the key or change the password too.</p>
      </Confirm>
    </>
  );
}
