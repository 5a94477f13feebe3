import type { Metadata } from "next";
import Link from "next/link";
import { LonePanel } from "../../_components/shell/lone-panel";
import { Button } from "../../_components/ui/button";

export const metadata: Metadata = { title: "Identity service unavailable" };

export default function IdentityUnavailable() {
  return (
    <LonePanel title="The identity service does not answer">
      <p className="mt-2 text-sm text-muted">Keycloak cannot be reached, so nobody can be signed in and tokens cannot be renewed. Your session is kept, and nothing is wrong with your account.</p>
      <Button asChild size="lg" className="mt-6 w-full"><Link href="/overview">Try again</Link></Button>
    </LonePanel>
  );
}
