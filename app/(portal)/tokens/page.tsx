import { MonitorSmartphone } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import { page } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { listFamilies } from "@/lib/tokens";
import { Card } from "@/app/_components/ui/card";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { ListFailed } from "../admin/_components/list-failed";
import { Programs } from "./_components/programs";
import { RevokeAll } from "./_components/revoke-all";

export const metadata: Metadata = { title: "Programs signed in" };

const link = "text-primary-ink underline underline-offset-4";

export default page(async (ctx) => {
  const families = await attempt(() => listFamilies(ctx));
  const count = families.ok ? families.data.length : 0;
  return (
    <>
      <PageHeader title="Programs signed in" actions={count > 1 ? <RevokeAll count={count} /> : null}>Programs that traded a password, a key or a session for short-lived tokens of yours. Each goes on until it ends or you end it.</PageHeader>
      {!families.ok ? <ListFailed title="Your programs could not be read" problem={families.problem} />
        : count === 0 ? <Card><EmptyState icon={MonitorSmartphone} title="No program is signed in">Programs that send an API key with every call are not listed here; those are under <Link href="/keys" className={link}>API keys</Link>. How to trade a key for tokens is <Link href="/docs/tokens" className={link}>in the docs</Link>.</EmptyState></Card>
        : <Programs families={families.data} />}
    </>
  );
}, { loading: <PageLoading /> });
