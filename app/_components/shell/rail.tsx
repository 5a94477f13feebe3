"use client";

import { Menu } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { Button } from "../ui/button";
import { WaterLines, Wordmark } from "../ui/mark";
import { Sheet, SheetContent, SheetTrigger } from "../ui/sheet";
import { type Account, AccountMenu } from "./account-menu";
import { type NavGroup, NavLinks } from "./nav-links";

type RailProps = { groups: NavGroup[]; account: Account; signOut: () => Promise<void> };

function RailBody({ groups, account, signOut, onNavigate }: RailProps & { onNavigate?: () => void }) {
  return (
    <>
      <Link href="/overview" onClick={onNavigate} className="mx-3 mt-4 mb-3 w-fit rounded-md px-3 py-1.5 text-rail-text"><Wordmark /></Link>
      <NavLinks groups={groups} onNavigate={onNavigate} />
      <WaterLines className="pointer-events-none h-20 w-full shrink-0 text-rail-line" />
      <div className="border-t border-rail-line p-2"><AccountMenu account={account} signOut={signOut} /></div>
    </>
  );
}

/** The navigation: a rail where there is room, a bar with a sheet where there is not. */
export function Rail(props: RailProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <header className="on-rail sticky top-0 z-30 flex h-14 items-center justify-between bg-rail px-4 text-rail-text lg:hidden">
        <Link href="/overview" className="rounded-md"><Wordmark /></Link>
        <Sheet open={isOpen} onOpenChange={setOpen}>
          <SheetTrigger asChild>
            <Button variant="quiet" size="icon" aria-label="Open menu" className="text-rail-text hover:bg-rail-active"><Menu aria-hidden className="size-5!" /></Button>
          </SheetTrigger>
          <SheetContent title="Navigation" className="on-rail bg-rail text-rail-text"><RailBody {...props} onNavigate={() => setOpen(false)} /></SheetContent>
        </Sheet>
      </header>
      <header className="on-rail sticky top-0 hidden h-dvh flex-col overflow-y-auto bg-rail text-rail-text lg:flex"><RailBody {...props} /></header>
    </>
  );
}
