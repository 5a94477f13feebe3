"use client";

import { type ReactNode, useState } from "react";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Dialog, DialogContent } from "@/app/_components/ui/dialog";
import { SecretPanel } from "./secret-panel";

type SecretDialogProps = {
  /** Held by whoever opens it, and never by something that the new secret makes disappear (an empty list, a button). */
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: string;
  description: string;
  baseUrl: string;
  /** What to do about a lost secret, said when it is closed before copying. */
  ifLost: string;
  wide?: boolean;
  /** @param isMade whether there was a secret to be seen, or the form was left */
  onClosed?: (isMade: boolean) => void;
  /** The form. It hands over the secret once the server made it. */
  children: (reveal: (made: Revealed) => void) => ReactNode;
};

export type Revealed = { title: string; secret: string; message?: string };

/** From a form to a secret that is shown once. Then only "Done" closes it, since Esc and a click beside it are pressed by habit; before copying it asks first. */
export function SecretDialog({ isOpen, onOpenChange, title, description, baseUrl, ifLost, wide, onClosed, children }: SecretDialogProps) {
  const [made, setMade] = useState<Revealed | null>(null);
  const [isCopied, setCopied] = useState(false);
  const [isAsking, setAsking] = useState(false);

  function close() {
    onOpenChange(false);
    setMade(null);
    setCopied(false);
    onClosed?.(made !== null);
  }

  return (
    <>
      <Dialog open={isOpen} onOpenChange={(next) => (next ? onOpenChange(true) : close())}>
        <DialogContent wide={wide} isFirm={made !== null} title={made ? made.title : title} description={made ? undefined : description}>
          {made
            ? <SecretPanel secret={made.secret} message={made.message} baseUrl={baseUrl} onCopied={() => setCopied(true)} onClose={() => (isCopied ? close() : setAsking(true))} />
            : children(setMade)}
        </DialogContent>
      </Dialog>
      <Confirm open={isAsking} onOpenChange={setAsking} title="Close without copying the key?" action="Close anyway" cancel="Go back" onConfirm={() => { close(); return null; }}>
        <p>The key cannot be shown again. {ifLost}</p>
      </Confirm>
    </>
  );
}
