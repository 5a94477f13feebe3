"use client";

import { useCallback } from "react";
import { Button } from "../../_components/ui/button";
import { useComeback } from "../../_components/use-comeback";

/** To where signing in was to lead: whoever is not signed in is asked to on the way. */
export function TryAgain({ returnTo }: { returnTo: string }) {
  useComeback("identity_unavailable", useCallback(() => window.location.assign(returnTo), [returnTo]));
  return <Button asChild size="lg" className="mt-6 w-full"><a href={returnTo}>Try again</a></Button>;
}
