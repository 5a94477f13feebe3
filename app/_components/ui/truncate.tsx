"use client";

import { useEffect, useRef, useState } from "react";
import { cn } from "./cn";

/**
 * One line of text that people chose, cut where there is no room. The whole is shown on hover. It unfolds on focus: its own, or that of a link
 * around it with the class `group/whole`.
 */
export function Truncate({ children, className }: { children: string; className?: string }) {
  const box = useRef<HTMLSpanElement>(null);
  const [isCut, setCut] = useState(false);
  const [isInside, setInside] = useState(false);

  useEffect(() => {
    const { current } = box;
    if (!current) return;
    const around = current.closest("a, button");
    setInside(around !== null);
    const observer = new ResizeObserver(() => {
      // Unfolded, it fits, and would lose the focus that unfolds it.
      if (document.activeElement !== current && document.activeElement !== around) setCut(current.scrollWidth > current.clientWidth);
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [children]);

  return (
    <span ref={box} title={isCut ? children : undefined} tabIndex={isCut && !isInside ? 0 : undefined} className={cn("block max-w-full truncate focus:wrap-anywhere focus:whitespace-normal group-focus-visible/whole:wrap-anywhere group-focus-visible/whole:whitespace-normal", className)}>
      {children}
    </span>
  );
}
