import type { Metadata } from "next";
import Link from "next/link";
import { findSignedIn } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { LonePanel } from "../../_components/shell/lone-panel";
import { Button } from "../../_components/ui/button";
import { cameFromKeycloak } from "./state";

export const metadata: Metadata = { title: "Signed out" };

export default async function SignedOut({ searchParams }: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const [found, isKnown] = await Promise.all([attempt(findSignedIn), cameFromKeycloak((await searchParams).state)]);
  // A link to this page signs nobody out, and must not make believe that it did.
  if (found.ok && found.data) {
    return (
      <LonePanel title="You are still signed in">
        <p className="mt-2 text-sm text-muted">Whatever led you here has not signed you out. To do that, choose “Sign out” in the account menu.</p>
        <Button asChild size="lg" className="mt-6 w-full"><Link href="/overview">Back to the portal</Link></Button>
      </LonePanel>
    );
  }
  return (
    <LonePanel title="You are signed out">
      <p className="mt-2 text-sm text-muted">
        {isKnown ? "Your session here and at Keycloak has ended." : "You have no session here. Keycloak may still know you: if others use this browser, sign out there too, or close it."}
        {" "}API keys go on working: they act through the machine access that you gave, until you remove it.
      </p>
      <Button asChild size="lg" className="mt-6 w-full"><Link href="/sign-in">Sign in again</Link></Button>
    </LonePanel>
  );
}
