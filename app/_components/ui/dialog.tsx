"use client";

import { X } from "lucide-react";
import { Dialog as DialogPrimitive } from "radix-ui";
import { type ComponentProps, createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from "react";
import { Confirm } from "./alert-dialog";
import { Button } from "./button";
import { cn } from "./cn";
import { overlayClasses, panelClasses } from "./panel-classes";

/** Told by what holds unsaved input inside the dialog. */
const Unsaved = createContext<(isUnsaved: boolean) => void>(() => undefined);

/** A dialog that asks before input is lost to Esc, a click beside it or its cross. Buttons that say what they do (`DialogClose`) do not ask. */
export function Dialog({ open, onOpenChange, children }: { open: boolean; onOpenChange: (open: boolean) => void; children: ReactNode }) {
  const isUnsaved = useRef(false);
  const [isAsking, setAsking] = useState(false);
  const mark = useCallback((next: boolean) => { isUnsaved.current = next; }, []);

  function close() {
    isUnsaved.current = false;
    onOpenChange(false);
  }

  return (
    <Unsaved value={mark}>
      <DialogPrimitive.Root open={open} onOpenChange={(next) => {
        if (next) onOpenChange(true);
        else if (isUnsaved.current) setAsking(true);
        else close();
      }}>
        {children}
      </DialogPrimitive.Root>
      <Confirm open={isAsking} onOpenChange={setAsking} title="Discard what you typed?" action="Discard" cancel="Keep editing" onConfirm={() => { close(); return null; }}>
        <p>It has not been saved.</p>
      </Confirm>
    </Unsaved>
  );
}

/** Says that closing the dialog around would lose input. Outside of a dialog nothing happens. */
export function useUnsaved(isUnsaved: boolean): void {
  const mark = useContext(Unsaved);
  useEffect(() => {
    mark(isUnsaved);
    return () => mark(false);
  }, [mark, isUnsaved]);
}

export const DialogTrigger = DialogPrimitive.Trigger;

export function DialogClose({ onClick, ...props }: ComponentProps<typeof DialogPrimitive.Close>) {
  const mark = useContext(Unsaved);
  return <DialogPrimitive.Close {...props} onClick={(event) => { mark(false); onClick?.(event); }} />;
}

type DialogContentProps = Omit<ComponentProps<typeof DialogPrimitive.Content>, "title"> & { title: ReactNode; description?: ReactNode; wide?: boolean; /** Only its own buttons close it. */ isFirm?: boolean };

/** The dialog's panel: title, what scrolls, and (by `DialogFooter`) what stays in reach. */
export function DialogContent({ title, description, wide = false, isFirm = false, className, children, ...props }: DialogContentProps) {
  return (
    <DialogPrimitive.Portal>
      <DialogPrimitive.Overlay className={overlayClasses} />
      <DialogPrimitive.Content className={cn(panelClasses, wide ? "max-w-2xl" : "max-w-lg", className)} {...(!description && { "aria-describedby": undefined })} {...(isFirm && { onEscapeKeyDown: stay, onInteractOutside: stay })} {...props}>
        <div className="flex items-start justify-between gap-4 border-b px-5 py-4">
          <div className="min-w-0">
            <DialogPrimitive.Title className="text-base font-semibold wrap-anywhere">{title}</DialogPrimitive.Title>
            {description && <DialogPrimitive.Description className="mt-1 text-sm wrap-anywhere text-muted">{description}</DialogPrimitive.Description>}
          </div>
          {!isFirm && (
            <DialogPrimitive.Close asChild>
              <Button variant="quiet" size="icon-sm" aria-label="Close" className="-mt-1 -mr-2"><X aria-hidden /></Button>
            </DialogPrimitive.Close>
          )}
        </div>
        {children}
      </DialogPrimitive.Content>
    </DialogPrimitive.Portal>
  );
}

const stay = (event: Event) => event.preventDefault();

export function DialogBody({ className, ...props }: ComponentProps<"div">) {
  return <div className={cn("min-h-0 flex-1 overflow-y-auto px-5 py-4", className)} {...props} />;
}

export function DialogFooter({ className, ...props }: ComponentProps<"div">) {
  return <div className={cn("flex flex-wrap-reverse justify-end gap-2 border-t px-5 py-3", className)} {...props} />;
}
