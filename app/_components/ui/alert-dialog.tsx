"use client";

import { AlertDialog as AlertPrimitive } from "radix-ui";
import { type ReactNode, useId, useRef, useState } from "react";
import { Button } from "./button";
import { cn } from "./cn";
import { overlayClasses, panelClasses } from "./panel-classes";
import { Input } from "./input";
import { Label } from "./label";

type ConfirmProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  children: ReactNode;
  /** The verb on the button, such as "Revoke key". */
  action: string;
  cancel?: string;
  tone?: "danger" | "primary";
  /** What must be typed before the button works, for what cannot be undone. */
  phrase?: string;
  /** Resolves to a message when it did not work; the question then stays open and shows it. */
  onConfirm: () => Promise<string | null> | string | null;
};

/** The one way to ask "are you sure?". Cancel has the focus (or the field, where a phrase must be typed), Escape cancels. */
export function Confirm({ open, onOpenChange, title, children, action, cancel = "Cancel", tone = "danger", phrase, onConfirm }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [typed, setTyped] = useState("");
  const id = useId();
  // Two presses may come before anything is drawn anew, and Enter asks no button whether it is busy.
  const isRunning = useRef(false);
  const field = useRef<HTMLInputElement>(null);
  // Names keep the spaces that people gave them; the eye cannot count those, and typing them is not the point.
  const isTyped = phrase === undefined || plain(typed) === plain(phrase);

  function change(next: boolean) {
    setFailure(null);
    setTyped("");
    onOpenChange(next);
  }

  async function confirm() {
    if (!isTyped || isRunning.current) return;
    isRunning.current = true;
    setBusy(true);
    setFailure(null);
    try {
      const message = await onConfirm();
      if (message === null) change(false);
      else setFailure(message);
    } catch {
      setFailure("The portal did not answer. Check your connection and try again.");
    } finally {
      isRunning.current = false;
      setBusy(false);
    }
  }

  return (
    <AlertPrimitive.Root open={open} onOpenChange={(next) => { if (!busy) change(next); }}>
      <AlertPrimitive.Portal>
        <AlertPrimitive.Overlay className={overlayClasses} />
        <AlertPrimitive.Content className={cn(panelClasses, "max-w-md")} onOpenAutoFocus={(event) => { if (field.current) { event.preventDefault(); field.current.focus(); } }}>
          <div className="min-h-0 overflow-y-auto px-5 pt-5 pb-4">
            <AlertPrimitive.Title className="text-base font-semibold wrap-anywhere">{title}</AlertPrimitive.Title>
            <AlertPrimitive.Description asChild><div className="mt-2 space-y-2 text-sm wrap-anywhere text-muted">{children}</div></AlertPrimitive.Description>
            {phrase !== undefined && (
              <form className="mt-4 space-y-1.5" onSubmit={(event) => { event.preventDefault(); event.stopPropagation(); void confirm(); }}>
                <Label htmlFor={id} className="block leading-relaxed">Type <span className="rounded-sm bg-sunken px-1 py-0.5 font-mono text-[0.8125rem] wrap-anywhere select-text">{phrase}</span> to go on</Label>
                <Input ref={field} id={id} value={typed} autoComplete="off" autoCapitalize="none" spellCheck={false} maxLength={200} onChange={(event) => setTyped(event.target.value)} />
              </form>
            )}
            {failure && <p role="alert" className="mt-3 rounded-md bg-danger-soft px-3 py-2 text-sm text-danger-ink">{failure}</p>}
          </div>
          <div className="flex flex-wrap-reverse justify-end gap-2 border-t px-5 py-3">
            <AlertPrimitive.Cancel asChild><Button variant="secondary" disabled={busy}>{cancel}</Button></AlertPrimitive.Cancel>
            <Button variant={tone} busy={busy} disabled={!isTyped} onClick={confirm}>{action}</Button>
          </div>
        </AlertPrimitive.Content>
      </AlertPrimitive.Portal>
    </AlertPrimitive.Root>
  );
}

const plain = (text: string) => text.trim().replace(/\s+/g, " ").normalize("NFC");
