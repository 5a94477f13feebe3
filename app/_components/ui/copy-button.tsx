"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, type ButtonProps } from "./button";

type CopyButtonProps = Omit<ButtonProps, "onClick" | "onCopy"> & { value: string; /** What is copied, for those who hear the button: "API key". */ what: string; label?: string; onCopied?: () => void };

/** Copies a text and says so, in place and aloud. */
export function CopyButton({ value, what, label, onCopied, variant = "secondary", size, ...props }: CopyButtonProps) {
  const [state, setState] = useState<"idle" | "done" | "failed">("idle");

  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2000);
    return () => clearTimeout(timer);
  }, [state]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(value);
      setState("done");
      onCopied?.();
    } catch {
      setState("failed");
    }
  }

  const words = state === "done" ? "Copied" : state === "failed" ? "Select and copy it" : (label ?? "");
  return (
    <Button variant={variant} size={size ?? (label ? "sm" : "icon-sm")} aria-label={label === undefined ? `Copy ${what}` : undefined} onClick={copy} {...props}>
      {state === "done" ? <Check aria-hidden /> : <Copy aria-hidden />}
      {label !== undefined && <span className="grid text-left">
        <span className="col-start-1 row-start-1">{words}</span>
        <span aria-hidden className="invisible col-start-1 row-start-1 h-0">{label}</span>
      </span>}
      <span role="status" className="sr-only">{state === "done" ? `${what} copied` : state === "failed" ? `Copying is not allowed here; select the ${what} and copy it` : ""}</span>
    </Button>
  );
}
