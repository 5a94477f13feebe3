import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { findSignedInSoon } from "@/lib/entry/page";
import { portalFacts } from "@/lib/entry/portal";
import { LonePanel } from "../../_components/shell/lone-panel";
import { signOutAction } from "../sign-in/actions";
import { SubmitButton } from "../sign-in/submit-button";

export const metadata: Metadata = { title: "No access" };

export default async function NoAccess() {
  const found = await findSignedInSoon();
  if (!found) redirect("/sign-in");
  if (found.isActive && found.ctx.permissions !== 0) redirect("/overview");
  if (found.ctx.actor.type !== "user") redirect("/sign-in");
  const { person } = found.ctx.actor;
  const whom = portalFacts().contact ?? "your administrator";
  return (
    <LonePanel title={found.isActive ? "You have no access yet" : "Your access is switched off"}>
      <p className="mt-2 text-sm text-muted">
        {found.isActive
          ? <>Keycloak knows you, but you hold none of the roles that Sluice asks for: admin, user or viewer.</>
          : <>Your account or your tenant was switched off here. What you made is kept.</>}
      </p>
      <p className="mt-4 text-sm">Ask <strong className="font-semibold">{whom}</strong> and say who you are:</p>
      <dl className="mt-3 grid grid-cols-[auto_minmax(0,1fr)] gap-x-5 gap-y-1.5 rounded-lg border bg-sunken px-4 py-3 text-sm">
        <dt className="text-muted">Name</dt><dd className="wrap-anywhere">{person.name ?? person.username}</dd>
        <dt className="text-muted">User name</dt><dd className="wrap-anywhere">{person.username}</dd>
        {person.email && <><dt className="text-muted">Email</dt><dd className="wrap-anywhere">{person.email}</dd></>}
        <dt className="text-muted">Tenant</dt><dd className="wrap-anywhere">{person.tenant}</dd>
      </dl>
      <p className="mt-4 text-sm text-muted">A new role counts from your next sign-in.</p>
      <form action={signOutAction} className="mt-5"><SubmitButton variant="secondary" className="w-full" waiting="Signing out…">Sign out</SubmitButton></form>
    </LonePanel>
  );
}
