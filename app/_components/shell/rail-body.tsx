"use client";

import Link from "next/link";
import { WaterLines, Wordmark } from "../ui/mark";
import { type Account, AccountMenu } from "./account-menu";
import { type NavGroup, NavLinks } from "./nav-links";

export type RailProps = { groups: NavGroup[]; account: Account; signOut: () => Promise<void> };

/** What stands in the rail, and on narrow screens in the sheet. The account stays in sight: only the links scroll, where the screen is too low for them. */
export function RailBody({ groups, account, signOut, onNavigate }: RailProps & { onNavigate?: () => void }) {
  return (
    <>
      <Link href="/overview" onClick={onNavigate} className="mx-3 mt-4 mb-3 w-fit shrink-0 rounded-md px-3 py-1.5 text-rail-text"><Wordmark /></Link>
      <NavLinks groups={groups} onNavigate={onNavigate} />
      <WaterLines className="pointer-events-none h-20 w-full shrink-0 text-rail-line [@media(max-height:58rem)]:hidden" />
      <div className="shrink-0 border-t border-rail-line p-2"><AccountMenu account={account} signOut={signOut} /></div>
    </>
  );
}
