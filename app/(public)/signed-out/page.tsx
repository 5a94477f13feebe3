import type { Metadata } from "next";
import Link from "next/link";
import { LonePanel } from "../../_components/shell/lone-panel";
import { Button } from "../../_components/ui/button";

export const metadata: Metadata = { title: "Signed out" };

export default function SignedOut() {
  return (
    <LonePanel title="You are signed out">
      <p className="mt-2 text-sm text-muted">Your session here and at Keycloak has ended. API keys go on working: they act through the machine access that you gave, until you remove it.</p>
      <Button asChild size="lg" className="mt-6 w-full"><Link href="/sign-in">Sign in again</Link></Button>
    </LonePanel>
  );
}
