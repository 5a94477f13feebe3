"use client";

import { Menu } from "lucide-react";
import Link from "next/link";
import { lazy } from "react";
import { Button } from "../ui/button";
import { LazyMenu } from "../ui/lazy-menu";
import { Wordmark } from "../ui/mark";
import { RailBody, type RailProps } from "./rail-body";

const load = () => import("./rail-sheet").then((file) => ({ default: file.RailSheet }));
const RailSheet = lazy(load);

/** The navigation: a rail where there is room, a bar with a sheet where there is not. */
export function Rail(props: RailProps) {
  const trigger = <Button variant="quiet" size="icon" aria-label="Open menu" className="text-rail-text hover:bg-rail-active"><Menu aria-hidden className="size-5!" /></Button>;
  return (
    <>
      <header className="on-rail sticky top-0 z-30 flex h-14 items-center justify-between bg-rail px-4 text-rail-text lg:hidden">
        <Link href="/overview" className="rounded-md"><Wordmark /></Link>
        <LazyMenu popup="dialog" trigger={trigger} preload={() => void load()}><RailSheet trigger={trigger} {...props} /></LazyMenu>
      </header>
      <header className="on-rail sticky top-0 hidden h-dvh flex-col bg-rail text-rail-text lg:flex"><RailBody {...props} /></header>
    </>
  );
}
