import { MessagesSquare, MoveRight } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import { listMyChatflows } from "@/lib/chatflows";
import { page } from "@/lib/entry/page";
import { portalFacts } from "@/lib/entry/portal";
import { Badge } from "@/app/_components/ui/badge";
import { Card } from "@/app/_components/ui/card";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { RelativeTime } from "@/app/_components/ui/relative-time";

export const metadata: Metadata = { title: "Chatflows" };

export default page(async (ctx) => {
  const { chatflows } = await listMyChatflows(ctx);
  return (
    <>
      <PageHeader title="Chatflows">What is assigned to you. Open one to talk to it, or to call it from a program.</PageHeader>
      {chatflows.length === 0
        ? <Card><EmptyState icon={MessagesSquare} title="No chatflow is assigned to you">Ask {portalFacts().contact ?? "your administrator"} to assign one. It appears here at once.</EmptyState></Card>
        : (
          <ul className="grid grid-cols-1 gap-4 sm:grid-cols-2 xl:grid-cols-3">
            {chatflows.map((flow) => (
              <li key={flow.id}>
                <Link href={`/chatflows/${encodeURIComponent(flow.id)}`} className="group flex h-full flex-col rounded-lg border bg-surface p-5 shadow-raised transition-colors hover:border-primary/60">
                  <div className="flex items-start justify-between gap-3">
                    <h2 className="min-w-0 font-semibold wrap-anywhere">{flow.name}</h2>
                    {!flow.deployed && <Badge tone="warn">not deployed</Badge>}
                  </div>
                  {flow.description && <p className="mt-1.5 line-clamp-3 text-sm text-muted">{flow.description}</p>}
                  <div className="mt-auto flex items-end justify-between gap-3 pt-5 text-xs text-muted">
                    <span>{[...(flow.category?.split(";") ?? []), flow.type === "AGENTFLOW" ? "Agentflow" : "Chatflow"].filter(Boolean).join(", ")}<br />assigned <RelativeTime at={flow.assigned_at} /></span>
                    <MoveRight aria-hidden className="size-4 text-primary transition-transform group-hover:translate-x-0.5" />
                  </div>
                </Link>
              </li>
            ))}
          </ul>
        )}
    </>
  );
}, { needs: "chatflows:read", loading: <PageLoading /> });
