"use client";

import { useEffect, useState } from "react";
import { toast } from "sonner";
import { dropDrafts, setDraftOwner, type SignInFirst, stepUpEvent } from "./step-up";
import { Button } from "./ui/button";
import { Dialog, DialogBody, DialogClose, DialogContent, DialogFooter } from "./ui/dialog";

const words = {
  confirm: {
    title: "Confirm that it is you", description: "You signed in a while ago, and this changes something that matters.", action: "Go to Keycloak",
    text: "Keycloak asks for your password, or what else you sign in with, and brings you back to this page. Nothing has been changed so far.",
  },
  ended: {
    title: "Your session has ended", description: "Nothing has been changed. Sign in again to go on.", action: "Sign in",
    text: "Keycloak brings you back to this page.",
  },
} as const;

/** Sends a person to Keycloak who has to sign in or to confirm who they are, and says afterwards how that went. */
export function StepUp({ userId }: { /** Whose drafts are kept and found again. */ userId: string }) {
  const [asked, setAsked] = useState<SignInFirst | null>(null);
  const [shown, setShown] = useState<SignInFirst>({ why: "confirm", address: "/" });
  useEffect(() => setDraftOwner(userId), [userId]);
  useEffect(() => {
    const ask = (event: Event) => {
      const { detail } = event as CustomEvent<SignInFirst>;
      setShown(detail);
      setAsked(detail);
    };
    window.addEventListener(stepUpEvent, ask);
    tellOutcome();
    return () => window.removeEventListener(stepUpEvent, ask);
  }, []);
  const { title, description, text, action } = words[shown.why];
  return (
    <Dialog open={asked !== null} onOpenChange={(open) => { if (!open) setAsked(null); }}>
      <DialogContent title={title} description={description}>
        <DialogBody className="space-y-2 text-sm text-muted">
          <p>{text}</p>
          <p>What you chose or typed into a form here is kept in this tab: open the form again and it is filled in. Only what confirms is typed anew.</p>
        </DialogBody>
        <DialogFooter>
          <DialogClose asChild><Button variant="secondary">Not now</Button></DialogClose>
          <Button asChild><a href={shown.address}>{action}</a></Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}

/** The word that the way back from Keycloak left in the address is said once and taken out, so that reloading does not say it again. */
function tellOutcome(): void {
  const url = new URL(window.location.href);
  const outcome = url.searchParams.get("confirm");
  if (outcome === null) return;
  url.searchParams.delete("confirm");
  window.history.replaceState(window.history.state, "", url);
  if (outcome === "done") toast.success("Thank you, that was you", { description: "Go on where you were." });
  else if (outcome === "other") {
    dropDrafts();
    toast.warning("Somebody else signed in", { description: "You are not who was signed in before. This session is yours; theirs has ended in this browser.", duration: 15_000 });
  } else toast.error("It could not be confirmed that it is you", { description: "Nothing was changed. Try again.", duration: 15_000 });
}
