import type { Metadata } from "next";
import Link from "next/link";
import { portalStatus } from "@/lib/entry/status";
import { LonePanel } from "../../_components/shell/lone-panel";
import { Button } from "../../_components/ui/button";
import { StatusList } from "./status-list";

export const metadata: Metadata = { title: "Status" };
export const dynamic = "force-dynamic";

/** For anybody: asks neither who is there nor any store, so it is there when nothing else is. */
export default async function Status() {
  return (
    <LonePanel title="What works right now" isStatus>
      <StatusList first={await portalStatus()} />
      <Button asChild size="lg" variant="secondary" className="mt-6 w-full"><Link href="/overview">Open the portal</Link></Button>
    </LonePanel>
  );
}
