"use client";

import { type ReactElement, useState } from "react";
import { Sheet, SheetContent, SheetTrigger } from "../ui/sheet";
import { RailBody, type RailProps } from "./rail-body";

/** The navigation of narrow screens, open from the start: it is fetched when somebody asks for it. */
export function RailSheet({ trigger, ...props }: RailProps & { trigger: ReactElement }) {
  const [isOpen, setOpen] = useState(true);
  return (
    <Sheet open={isOpen} onOpenChange={setOpen}>
      <SheetTrigger asChild>{trigger}</SheetTrigger>
      <SheetContent title="Navigation" className="on-rail bg-rail text-rail-text"><RailBody {...props} onNavigate={() => setOpen(false)} /></SheetContent>
    </Sheet>
  );
}
