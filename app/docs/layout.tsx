import type { ReactNode } from "react";
import { findContext } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { PublicHeader } from "../_components/shell/public-header";
import { DocsNav } from "./_components/docs-nav";

/** Documentation is open to everybody; a store that is away must not close it. */
export default async function DocsLayout({ children }: { children: ReactNode }) {
  const found = await attempt(findContext);
  return (
    <>
      <PublicHeader isSignedIn={found.ok && found.data !== null} />
      <div className="mx-auto grid max-w-6xl gap-x-12 px-5 pb-20 sm:px-8 lg:grid-cols-[11rem_minmax(0,1fr)]">
        <DocsNav />
        <main id="main" tabIndex={-1} className="min-w-0 pt-6 outline-none lg:pt-10">{children}</main>
      </div>
    </>
  );
}
