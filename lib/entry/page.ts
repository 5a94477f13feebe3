import "server-only";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache, type ReactNode } from "react";
import { type Context, roleMask } from "@/lib/access";
import { isSluiceError } from "@/lib/platform/errors";
import { findSession, refuseEndedSession, renewRole, type Session } from "@/lib/sessions";
import { getPersonState, type PersonState } from "@/lib/tenants";
import { addressFromDoor } from "@/lib/platform/client-address";
import { requestIdFrom } from "./request-id";
import { requireFresh } from "./require-fresh";

export type PageInput = { params: Record<string, string>; searchParams: Record<string, string | string[] | undefined> };
type NextPageProps = { params: Promise<Record<string, string>>; searchParams: Promise<Record<string, string | string[] | undefined>> };

export type SignedIn = { ctx: Context; session: Session; isActive: boolean };

/**
 * Who is looking, or null when nobody is signed in. For public pages and layouts; grants nothing by itself. Asked once per
 * request, however many layouts and pages want to know.
 * @throws SluiceError `store_unavailable` when the sessions cannot be read: that is not the same as signed out.
 */
export const findSignedIn = cache(async (): Promise<SignedIn | null> => {
  const sent = await headers();
  let session: Session | null;
  try {
    session = await findSession(sent.get("cookie"));
  } catch (error) {
    if (isSluiceError(error, "session_expired")) return null;
    throw error;
  }
  if (!session) return null;
  const { person, isActive, tenantIsActive } = await stateOf(session, sent.has("next-action"));
  const ctx: Context = {
    requestId: requestIdFrom(sent.get("x-request-id")),
    tenantId: person.tenantId,
    actor: { type: "user", person, credential: { kind: "session", session: session.handle } },
    permissions: isActive && tenantIsActive ? roleMask(person.role) : 0,
    ip: addressFromDoor(sent),
    userAgent: sent.get("user-agent")?.slice(0, 400) ?? null,
    requireFresh: () => requireFresh(session, sent.get("x-sluice-path")),
    refuseIfEnded: () => refuseEndedSession(session.handle.sessionId),
  };
  return { ctx, session, isActive: isActive && tenantIsActive };
});

/** Administrators and those who are about to change something are judged by a role that Keycloak has confirmed within one access token's life. */
async function stateOf(session: Session, isAction: boolean): Promise<PersonState> {
  const state = await getPersonState(session.userId);
  return (isAction || state.person.role === "admin") && (await renewRole(session)) ? getPersonState(session.userId) : state;
}

export async function findContext(): Promise<Context | null> {
  return (await findSignedIn())?.ctx ?? null;
}

/** The door of signed-in pages: somebody else is sent to sign in, somebody without a role to the page that says whom to ask. */
export function page(render: (ctx: Context, input: PageInput) => Promise<ReactNode>) {
  return async function Page(props: NextPageProps): Promise<ReactNode> {
    const [params, searchParams] = await Promise.all([props.params, props.searchParams]);
    const found = await findSignedIn();
    if (!found) {
      const path = (await headers()).get("x-sluice-path") ?? "/overview";
      redirect(`/sign-in?returnTo=${encodeURIComponent(path)}`);
    }
    if (!found.isActive || found.ctx.permissions === 0) redirect("/no-access");
    return render(found.ctx, { params, searchParams });
  };
}
