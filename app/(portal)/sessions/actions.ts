"use server";

import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { z } from "zod";
import { action, requireSameOrigin } from "@/lib/entry/action";
import { findSignedIn } from "@/lib/entry/page";
import { signOutEverywhere, signOutOthers, signOutSession } from "@/lib/sessions";
import { signOut } from "@/lib/sessions/auth";
import { SignOutSessionInput } from "@/lib/sessions/schemas";
import { expectSignedOut } from "../../(public)/signed-out/state";

const revalidate = "/sessions";

export const signOutSessionAction = action(SignOutSessionInput, signOutSession, { name: "signOutSession", revalidate });
export const signOutOthersAction = action(z.strictObject({}), (ctx) => signOutOthers(ctx), { name: "signOutOthers", revalidate });

/** Ends all of the person's sessions here, and this browser's at Keycloak. */
export async function signOutEverywhereAction(): Promise<void> {
  requireSameOrigin((await headers()).get("origin"));
  const found = await findSignedIn();
  const ended = found && (await signOutEverywhere(found.ctx));
  await signOut({ redirect: false });
  if (ended?.state) await expectSignedOut(ended.state);
  redirect(ended?.logoutUrl ?? "/signed-out");
}
