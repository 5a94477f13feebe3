import type { ReactNode } from "react";
import { type Context, hasPermission } from "@/lib/access";
import { findSignedIn } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { signOutAction } from "../(public)/sign-in/actions";
import { Providers } from "../_components/providers";
import type { NavGroup } from "../_components/shell/nav-links";
import { Rail } from "../_components/shell/rail";
import { SkipLink } from "../_components/shell/skip-link";

/** The frame of signed-in pages. It shows who is there and guards nothing: each page checks for itself. */
export default async function PortalLayout({ children }: { children: ReactNode }) {
  const found = await attempt(findSignedIn);
  if (!found.ok || !found.data || found.data.ctx.actor.type !== "user") return <Providers userId="">{children}</Providers>;
  const { ctx } = found.data;
  const { person } = found.data.ctx.actor;
  const account = { name: person.name ?? person.username, email: person.email, role: person.role ?? "no role", tenant: person.tenant };
  return (
    <Providers userId={person.userId}>
      <div className="min-h-dvh lg:grid lg:grid-cols-[15.5rem_minmax(0,1fr)]">
        <SkipLink />
        <Rail groups={navigation(ctx)} account={account} signOut={signOutAction} />
        <main id="main" tabIndex={-1} className="mx-auto w-full max-w-6xl min-w-0 px-4 pt-7 pb-16 outline-none sm:px-8">{children}</main>
      </div>
    </Providers>
  );
}

function navigation(ctx: Context): NavGroup[] {
  return [
    {
      label: null,
      items: [
        { href: "/overview", label: "Overview", icon: "overview" },
        ...(hasPermission(ctx, "chatflows:read") ? [{ href: "/chatflows", label: "Chatflows", icon: "chatflows" } as const] : []),
        ...(hasPermission(ctx, "nflow:read") ? [{ href: "/nflow", label: "NFlow", icon: "nflow" } as const] : []),
      ],
    },
    {
      label: "For programs",
      items: [
        ...(hasPermission(ctx, "api-keys:read") ? [{ href: "/keys", label: "API keys", icon: "keys" } as const] : []),
        ...(hasPermission(ctx, "usage:read") ? [{ href: "/usage", label: "Usage", icon: "usage" } as const, { href: "/requests", label: "Requests", icon: "requests" } as const] : []),
        { href: "/tokens", label: "Programs signed in", icon: "programs" },
        { href: "/machine-access", label: "Machine access", icon: "machine" },
        { href: "/docs", label: "Docs", icon: "docs" },
      ],
    },
    { label: "You", items: [{ href: "/sessions", label: "Sessions", icon: "sessions" }] },
    ...administration(ctx),
  ];
}

/** Nobody who may not go there sees the group. */
function administration(ctx: Context): NavGroup[] {
  const items: NavGroup["items"] = [
    ...(hasPermission(ctx, "admin:users") ? [{ href: "/admin/people", label: "People", icon: "people" } as const] : []),
    ...(hasPermission(ctx, "admin:keys") ? [{ href: "/admin/keys", label: "All API keys", icon: "allKeys" } as const] : []),
    ...(hasPermission(ctx, "admin:audit") ? [{ href: "/admin/requests", label: "All requests", icon: "allRequests" } as const] : []),
    ...(hasPermission(ctx, "admin:tenants") ? [{ href: "/admin/tenants", label: "Tenants", icon: "tenants" }, { href: "/admin/plans", label: "Plans", icon: "plans" }] as const : []),
  ];
  return items.length > 0 ? [{ label: "Administration", items }] : [];
}
