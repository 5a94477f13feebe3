import type { Metadata } from "next";
import { cookies } from "next/headers";
import Link from "next/link";
import { redirect } from "next/navigation";
import { findSignedIn } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { LonePanel } from "../../_components/shell/lone-panel";
import { Notice } from "../../_components/ui/notice";
import { signInAction } from "./actions";
import { signInError } from "./errors";
import { safeReturnTo } from "./return-to";
import { SubmitButton } from "./submit-button";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignIn({ searchParams }: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const query = await searchParams;
  const returnTo = safeReturnTo(query.returnTo ?? query.callbackUrl);
  const found = await attempt(findSignedIn);
  // A cookie without a session behind it: it ended by itself, and whoever comes should learn why they are here.
  const isOver = found.ok && !found.data && (await cookies()).getAll().some((cookie) => cookie.name.endsWith("sluice.session"));
  const failure = signInError(query.error ?? (isOver ? "session_expired" : undefined));
  if (found.ok && found.data && !failure) redirect(returnTo);
  return (
    <LonePanel title="Sign in to Sluice" footer={<Link href="/docs" className="rounded-sm underline underline-offset-4 hover:text-rail-text">Read the docs</Link>}>
      <p className="mt-2 text-sm text-muted">Your organisation’s Keycloak asks who you are. Sluice never sees your password.</p>
      {failure && <Notice tone="warn" live title={failure.title} className="mt-5">{failure.text}</Notice>}
      {!found.ok && <Notice tone="bad" live title="The portal cannot read sessions right now" className="mt-5">You can try to sign in; it may not work until its store is back.</Notice>}
      <form action={signInAction} className="mt-6">
        <input type="hidden" name="returnTo" value={returnTo} />
        <SubmitButton size="lg" className="w-full" waiting="Going to Keycloak…">Sign in with Keycloak</SubmitButton>
        <div className="mt-4 flex flex-wrap justify-between gap-x-4 gap-y-2 text-sm">
          <SubmitButton variant="link" name="intent" value="recover" waiting="Forgot your password?">Forgot your password?</SubmitButton>
          {portalFacts().mayRegister && <SubmitButton variant="link" name="intent" value="register" waiting="Create an account">Create an account</SubmitButton>}
        </div>
      </form>
    </LonePanel>
  );
}
