"use client";

import { useRouter } from "next/navigation";
import { useTransition } from "react";
import { Button } from "@/app/_components/ui/button";

/** Asks the server for this page again. */
export function Reload() {
  const router = useRouter();
  const [isBusy, start] = useTransition();
  return <Button variant="secondary" busy={isBusy} onClick={() => start(() => router.refresh())}>Try again</Button>;
}
