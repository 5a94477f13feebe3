import type { Metadata } from "next";
import { LonePanel } from "../../_components/shell/lone-panel";
import { TryAgain } from "./try-again";

export const metadata: Metadata = { title: "Identity service unavailable" };

export default function IdentityUnavailable() {
  return (
    <LonePanel title="The identity service does not answer">
      <p className="mt-2 text-sm text-muted">Keycloak cannot be reached, so nobody can be signed in and tokens cannot be renewed. Your session is kept, and nothing is wrong with your account.</p>
      <p className="mt-2 text-sm text-muted">This page goes on by itself when Keycloak is back.</p>
      <TryAgain />
    </LonePanel>
  );
}
