"use server";

import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { requireSameOrigin } from "@/lib/entry/action";
import { findSignedIn } from "@/lib/entry/page";
import { portalFacts } from "@/lib/entry/portal";
import { endSession } from "@/lib/sessions";
import { signIn, signOut } from "@/lib/sessions/auth";
import { expectSignedOut } from "../signed-out/state";
import { safeReturnTo } from "./return-to";

/** Sends the browser to Keycloak, and afterwards back to where it wanted to go. */
export async function signInAction(form: FormData): Promise<void> {
  requireSameOrigin((await headers()).get("origin"));
  await signIn("keycloak", { redirectTo: `/api/owner-grant/renew?returnTo=${encodeURIComponent(safeReturnTo(form.get("returnTo")))}` }, promptFor(form.get("intent")));
}

/** Keycloak's sign-in page offers the way to a new password where the realm has one, so whoever asks for it must see that page. */
function promptFor(intent: FormDataEntryValue | null): Record<string, string> | undefined {
  if (intent === "recover") return { prompt: "login" };
  return intent === "register" && portalFacts().mayRegister ? { prompt: "create" } : undefined;
}

/** Ends the session here and at Keycloak. */
export async function signOutAction(): Promise<void> {
  requireSameOrigin((await headers()).get("origin"));
  const found = await findSignedIn();
  const ended = found && (await endSession(found.session.handle, found.ctx));
  await signOut({ redirect: false });
  if (ended?.state) await expectSignedOut(ended.state);
  redirect(ended?.logoutUrl ?? "/signed-out");
}
