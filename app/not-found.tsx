import type { Metadata } from "next";
import Link from "next/link";
import { LonePanel } from "./_components/shell/lone-panel";
import { Button } from "./_components/ui/button";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound() {
  return (
    <LonePanel title="There is nothing here">
      <p className="mt-2 text-sm text-muted">The page does not exist, or it is not for you. Check the address, or start from the front.</p>
      <Button asChild size="lg" className="mt-6 w-full"><Link href="/">Start page</Link></Button>
    </LonePanel>
  );
}
