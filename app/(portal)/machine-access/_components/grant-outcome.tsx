"use client";

import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "@/app/_components/ui/button";
import { Notice } from "@/app/_components/ui/notice";
import { grantOutcomes } from "./grant-words";

/** Says once how giving machine access ended, and takes the word out of the address so that a reload does not repeat it. */
export function GrantOutcome({ outcome, className }: { outcome: keyof typeof grantOutcomes; className?: string }) {
  const [isOpen, setOpen] = useState(true);
  useEffect(() => {
    const url = new URL(window.location.href);
    url.searchParams.delete("grant");
    window.history.replaceState(null, "", url.pathname + url.search);
  }, []);
  if (!isOpen) return null;
  const words = grantOutcomes[outcome];
  return (
    <Notice tone={words.tone} live title={words.title} className={className} action={<Button variant="quiet" size="icon-sm" aria-label="Dismiss" onClick={() => setOpen(false)}><X aria-hidden /></Button>}>
      {words.text}
    </Notice>
  );
}
