import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { canStream, getMyChatflow } from "@/lib/chatflows";
import { getBalance } from "@/lib/credits";
import { page } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/app/_components/ui/tabs";
import { Playground } from "./_components/playground";
import { Snippets } from "./_components/snippets";

export const metadata: Metadata = { title: "Chatflow" };

export default page(async (ctx, { params }) => {
  const id = params.id ?? "";
  const flow = await attempt(() => getMyChatflow(ctx, id));
  if (!flow.ok) {
    if (flow.problem.status === 404) notFound();
    throw Object.assign(new Error(flow.problem.detail), { digest: `sluice.${flow.problem.code}` });
  }
  const [balance, streams] = await Promise.all([attempt(() => getBalance(ctx)), attempt(() => canStream(id))]);
  return (
    <>
      <PageHeader title={flow.data.name} above={<Link href="/chatflows" className="underline underline-offset-4 hover:text-foreground">Chatflows</Link>}>{flow.data.description}</PageHeader>
      <Tabs defaultValue="talk">
        <TabsList aria-label="What to do with it"><TabsTrigger value="talk">Talk</TabsTrigger><TabsTrigger value="program">From a program</TabsTrigger></TabsList>
        <TabsContent value="talk">
          <Playground chatflowId={id} name={flow.data.name} canStream={streams.ok ? streams.data : true} credits={balance.ok ? { available: balance.data.available, total: balance.data.available + balance.data.held } : null} />
        </TabsContent>
        <TabsContent value="program"><Snippets baseUrl={portalFacts().baseUrl} chatflowId={id} /></TabsContent>
      </Tabs>
    </>
  );
}, { needs: "chatflows:read", loading: <PageLoading /> });
