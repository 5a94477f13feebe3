"use client";

import { useId } from "react";
import { Switch } from "@/app/_components/ui/switch";

/** What the portal's own pages call is left out of lists and counts until it is asked for: looking must not change what is seen. */
export function PortalSwitch({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  const id = useId();
  return (
    <span className="flex h-9 items-center gap-2 px-1">
      <Switch id={id} checked={on} onCheckedChange={onChange} />
      <label htmlFor={id} className="text-sm whitespace-nowrap">Include calls from this portal</label>
    </span>
  );
}
