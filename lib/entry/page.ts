import "server-only";
import { headers } from "next/headers";
import { notFound, redirect } from "next/navigation";
import { cache, createElement, type ReactNode, Suspense } from "react";
import { type Context, hasPermission, type Permission, roleMask } from "@/lib/access";
import { isSluiceError } from "@/lib/platform/errors";
import { findSession, refuseEndedSession, renewRole, type Session } from "@/lib/sessions";
import { getPersonState, type PersonState } from "@/lib/tenants";
import { addressFromDoor } from "@/lib/platform/client-address";
import { readWithin } from "@/lib/platform/within";
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

/** Who is looking, within the time that somebody waits for a page. @throws SluiceError `store_unavailable` */
export const findSignedInSoon = (): Promise<SignedIn | null> => readWithin(whoMs, findSignedIn());

/** How long a page waits to learn who is looking, and then for what it shows. A store that is slower counts as away. */
const [whoMs, contentMs] = [4000, 7000];

export type PageOptions = {
  /** Without it the page does not exist for the caller. */
  needs?: Permission;
  /** Shown at once where a link leads here. A page that is opened by its address waits instead, since its status is sent first. */
  loading: ReactNode;
  /** More than `contentMs`, for pages that wait for an engine. */
  contentMs?: number;
};

/**
 * The door of signed-in pages. Before the first byte, so that the status tells: callers without a session are sent to sign in, callers without
 * a role to the page that says whom to ask, and a page that needs a permission the caller lacks is a 404.
 */
export function page(render: (ctx: Context, input: PageInput) => Promise<ReactNode>, options: PageOptions) {
  return async function Page(props: NextPageProps): Promise<ReactNode> {
    const [params, searchParams, sent] = await Promise.all([props.params, props.searchParams, headers()]);
    const found = await findSignedInSoon();
    if (!found) redirect(`/sign-in?returnTo=${encodeURIComponent(sent.get("x-sluice-path") ?? "/overview")}`);
    if (!found.isActive || found.ctx.permissions === 0) redirect("/no-access");
    if (options.needs && !hasPermission(found.ctx, options.needs)) notFound();
    const content = () => readWithin(options.contentMs ?? contentMs, render(found.ctx, { params, searchParams }));
    // Around both, or else a refresh would find another tree and forget what was typed.
    return createElement(Suspense, { fallback: options.loading }, isLink(sent) ? createElement(content) : await content());
  };
}

/** Whether a script of ours asks, for a link or a refresh. Next.js hides its own header for that from pages. */
const isLink = (sent: Headers) => sent.get("sec-fetch-dest") === "empty";
