"use client";

import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useState } from "react";

const waitsMs = [500, 1000, 2000, 4000];

/** Reads the page again while a call may be on its way into the log, since a person can follow a refusal's link sooner. Then shows what is left to say. */
export function LookAgain({ children }: { children: ReactNode }) {
  const router = useRouter();
  const [looks, setLooks] = useState(0);
  const wait = waitsMs[looks];

  useEffect(() => {
    if (wait === undefined) return;
    const timer = setTimeout(() => {
      router.refresh();
      setLooks((before) => before + 1);
    }, wait);
    return () => clearTimeout(timer);
  }, [wait, router]);

  return <div role="status">{wait === undefined ? children : <p className="py-6 text-center text-sm text-muted">Looking in the log…</p>}</div>;
}
