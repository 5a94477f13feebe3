"use client";

import { useState } from "react";
import { toast } from "sonner";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { signOutEverywhereAction, signOutOthersAction } from "../actions";

export function SignOutMany({ others }: { others: number }) {
  const [asked, setAsked] = useState<"others" | "all" | null>(null);
  const change = (what: "others" | "all") => (open: boolean) => setAsked(open ? what : null);
  return (
    <div className="flex flex-wrap gap-2">
      {others > 0 && <Button variant="secondary" size="sm" onClick={() => setAsked("others")}>Sign out all others</Button>}
      <Button variant="secondary" size="sm" onClick={() => setAsked("all")}>Sign out everywhere</Button>
      <Confirm open={asked === "others"} onOpenChange={change("others")} title={others === 1 ? "Sign out the other session?" : `Sign out ${others} other sessions?`} action="Sign out all others" onConfirm={async () => {
        const result = await signOutOthersAction({});
        if (!result.ok) return refusalText(result.problem);
        toast.success(result.data.ended === 1 ? "One session is signed out" : `${result.data.ended} sessions are signed out`);
        return null;
      }}>
        <p>You stay signed in here. To come back elsewhere, Keycloak asks for the password again.</p>
      </Confirm>
      <Confirm open={asked === "all"} onOpenChange={change("all")} title="Sign out everywhere?" action="Sign out everywhere" onConfirm={async () => {
        await signOutEverywhereAction();
        return null;
      }}>
        <p>All your sessions end, this one too, and with it your sign-in at Keycloak in this browser. API keys go on.</p>
      </Confirm>
    </div>
  );
}
