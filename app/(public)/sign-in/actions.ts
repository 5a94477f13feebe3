"use server";

import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { requireSameOrigin } from "@/lib/entry/action";
import { findSignedIn } from "@/lib/entry/page";
import { endSession } from "@/lib/sessions";
import { signIn, signOut } from "@/lib/sessions/auth";
import { expectSignedOut } from "../signed-out/state";
import { safeReturnTo } from "./return-to";

/** Sends the browser to Keycloak, and afterwards back to where it wanted to go. */
export async function signInAction(form: FormData): Promise<void> {
  requireSameOrigin((await headers()).get("origin"));
  await signIn("keycloak", { redirectTo: `/api/owner-grant/renew?returnTo=${encodeURIComponent(safeReturnTo(form.get("returnTo")))}` });
}

/** Ends the session here, then the one at Keycloak, whose page leads back to `/signed-out`. */
export async function signOutAction(): Promise<void> {
  requireSameOrigin((await headers()).get("origin"));
  const found = await findSignedIn();
  const ended = found && (await endSession(found.session.handle, found.ctx));
  await signOut({ redirect: false });
  if (ended?.state) await expectSignedOut(ended.state);
  redirect(ended?.logoutUrl ?? "/signed-out");
}
