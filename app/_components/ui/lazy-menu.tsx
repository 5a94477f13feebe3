"use client";

import { cloneElement, type ComponentProps, type ReactElement, type ReactNode, Suspense, useState } from "react";

type LazyMenuProps = {
  /** The button, as it looks before and after. */
  trigger: ReactElement<ComponentProps<"button">>;
  popup?: "menu" | "dialog";
  /** Fetches the menu's code; called as soon as somebody comes near. */
  preload: () => void;
  /** The menu itself (`React.lazy`), open from the start, around the same button. */
  children: ReactNode;
};

/** A button whose menu is fetched with the first wish for it: most pages are left without one, and positioning weighs more than the page. */
export function LazyMenu({ trigger, popup = "menu", preload, children }: LazyMenuProps) {
  const [isWanted, setWanted] = useState(false);
  if (isWanted) return <Suspense fallback={trigger}>{children}</Suspense>;
  return cloneElement(trigger, {
    "aria-haspopup": popup, "aria-expanded": false, onPointerEnter: preload, onFocus: preload, onClick: () => setWanted(true),
    onKeyDown: (event) => { if (popup === "menu" && event.key === "ArrowDown") { event.preventDefault(); setWanted(true); } },
  });
}
