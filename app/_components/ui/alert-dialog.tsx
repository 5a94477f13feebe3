"use client";

import { AlertDialog as AlertPrimitive } from "radix-ui";
import { type ReactNode, useState } from "react";
import { Button } from "./button";
import { cn } from "./cn";
import { overlayClasses, panelClasses } from "./dialog";

type ConfirmProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  children: ReactNode;
  /** The verb on the button, such as "Revoke key". */
  action: string;
  cancel?: string;
  tone?: "danger" | "primary";
  /** Resolves to a message when it did not work; the question then stays open and shows it. */
  onConfirm: () => Promise<string | null> | string | null;
};

/** The one way to ask "are you sure?". Cancel has the focus, Escape cancels. */
export function Confirm({ open, onOpenChange, title, children, action, cancel = "Cancel", tone = "danger", onConfirm }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  async function confirm() {
    setBusy(true);
    setFailure(null);
    try {
      const message = await onConfirm();
      if (message === null) onOpenChange(false);
      else setFailure(message);
    } catch {
      setFailure("The portal did not answer. Check your connection and try again.");
    } finally {
      setBusy(false);
    }
  }

  return (
    <AlertPrimitive.Root open={open} onOpenChange={(next) => { if (!busy) { setFailure(null); onOpenChange(next); } }}>
      <AlertPrimitive.Portal>
        <AlertPrimitive.Overlay className={overlayClasses} />
        <AlertPrimitive.Content className={cn(panelClasses, "max-w-md")}>
          <div className="px-5 pt-5 pb-4">
            <AlertPrimitive.Title className="text-base font-semibold">{title}</AlertPrimitive.Title>
            <AlertPrimitive.Description asChild><div className="mt-2 space-y-2 text-sm text-muted">{children}</div></AlertPrimitive.Description>
            {failure && <p role="alert" className="mt-3 rounded-md bg-danger-soft px-3 py-2 text-sm text-danger-ink">{failure}</p>}
          </div>
          <div className="flex flex-wrap-reverse justify-end gap-2 border-t px-5 py-3">
            <AlertPrimitive.Cancel asChild><Button variant="secondary" disabled={busy}>{cancel}</Button></AlertPrimitive.Cancel>
            <Button variant={tone} busy={busy} onClick={confirm}>{action}</Button>
          </div>
        </AlertPrimitive.Content>
      </AlertPrimitive.Portal>
    </AlertPrimitive.Root>
  );
}
