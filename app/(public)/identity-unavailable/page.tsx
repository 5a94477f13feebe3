import type { Metadata } from "next";
import { LonePanel } from "../../_components/shell/lone-panel";
import { safeReturnTo } from "../sign-in/return-to";
import { TryAgain } from "./try-again";

export const metadata: Metadata = { title: "Identity service unavailable" };

/** Where a sign-in ends that Keycloak could not answer. A page that lacks only a token says so in its place, see `(portal)/error.tsx`. */
export default async function IdentityUnavailable({ searchParams }: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const { returnTo } = await searchParams;
  return (
    <LonePanel title="The identity service does not answer">
      <p className="mt-2 text-sm text-muted">Keycloak cannot be reached, so nobody can sign in at the moment. Nothing is wrong with your account, and whoever is signed in stays so.</p>
      <p className="mt-2 text-sm text-muted">This page goes on by itself when Keycloak is back.</p>
      <TryAgain returnTo={safeReturnTo(returnTo)} />
    </LonePanel>
  );
}
