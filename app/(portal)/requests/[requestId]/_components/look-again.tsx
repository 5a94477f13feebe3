"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";

const waitsMs = [500, 1000, 2000, 4000];

/** Reads the page again while a call may be on its way into the log: whoever follows a refusal's link is quicker. */
export function LookAgain() {
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

  return <p role="status" className="text-center text-sm text-muted">{wait === undefined ? "" : "Still looking in the log …"}</p>;
}
