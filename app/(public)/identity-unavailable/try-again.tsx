"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useCallback } from "react";
import { Button } from "../../_components/ui/button";
import { useComeback } from "../../_components/use-comeback";

export function TryAgain() {
  const router = useRouter();
  useComeback("identity_unavailable", useCallback(() => router.push("/overview"), [router]));
  return <Button asChild size="lg" className="mt-6 w-full"><Link href="/overview">Try again</Link></Button>;
}
