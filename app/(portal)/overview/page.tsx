import { CircleCheck, MessagesSquare } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import { requirePerson } from "@/lib/access";
import { listMyChatflows } from "@/lib/chatflows";
import { getBalance } from "@/lib/credits";
import { page } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { getGrantDetails } from "@/lib/grants";
import { listKeyReminders, listKeys } from "@/lib/keys";
import { Badge } from "@/app/_components/ui/badge";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { Gauge } from "@/app/_components/ui/gauge";
import { Notice } from "@/app/_components/ui/notice";
import { PageHeader } from "@/app/_components/ui/page-header";
import { endsSoonWords, type GrantStatus, grantWords } from "../machine-access/_components/grant-words";
import { attentionFor } from "./_components/attention";
import { HealthPanel } from "./_components/health-panel";
import { OverviewLoading } from "./_components/overview-loading";

export const metadata: Metadata = { title: "Overview" };

function GrantBadge({ status, endsSoon }: { status: GrantStatus; endsSoon: boolean }) {
  const { tone, label } = endsSoon ? endsSoonWords : grantWords[status];
  return <Badge dot tone={tone}>{label}</Badge>;
}

/** In whole days, which is all that an end so far ahead needs. */
function daysAhead(at: string | null): string | null {
  if (!at) return null;
  const days = Math.floor((Date.parse(at) - Date.now()) / 86_400_000);
  return days < 1 ? "within a day" : days === 1 ? "in a day" : `in ${days} days`;
}

const roleWords = { admin: "administrator", user: "user", viewer: "viewer" } as const;

export default page(async (ctx) => {
  const person = requirePerson(ctx);
  const { flowiseAuth } = portalFacts();
  // Each panel stands for itself: what cannot be read says so, and the rest is still there.
  const [grant, keys, reminders, balance, chatflows] = await Promise.all([
    attempt(() => getGrantDetails(ctx)), attempt(() => listKeys(ctx, { limit: 100 })), attempt(() => listKeyReminders(ctx)), attempt(() => getBalance(ctx)), attempt(async () => (await listMyChatflows(ctx)).chatflows),
  ]);
  const credits = balance.ok ? { available: balance.data.available, held: balance.data.held, total: balance.data.available + balance.data.held } : null;
  const allKeys = keys.ok ? keys.data.keys : [];
  const live = allKeys.filter((key) => key.status === "active");
  const attention = attentionFor({ grant: grant.ok ? grant.data.status : null, grantEnds: grant.ok && grant.data.endsSoon ? daysAhead(grant.data.actsUntil) : null, isGrantNeeded: flowiseAuth === "user-token", keys: allKeys, reminders: reminders.ok ? reminders.data : [], credits });

  return (
    <>
      <PageHeader title={`Hello, ${person.name?.split(" ")[0] ?? person.username}`}>
        You are {person.role === "admin" ? "an" : "a"} {person.role ? roleWords[person.role] : "guest"} in {person.tenant}{person.email ? `, known as ${person.email}` : ""}.
      </PageHeader>

      {attention.length > 0
        ? <ul aria-label="What needs attention" className="mb-6 space-y-3">{attention.map((item) => <li key={item.title}><Notice tone={item.tone} title={item.title} action={<Button asChild variant="secondary" size="sm"><Link href={item.href}>{item.action}</Link></Button>}>{item.text}</Notice></li>)}</ul>
        : <p className="mb-6 flex items-center gap-2 text-sm text-muted"><CircleCheck aria-hidden className="size-4 text-success" />Nothing needs your attention.</p>}

      <div className="grid grid-cols-1 gap-5 md:grid-cols-2">
        <Card>
          <CardHeader title="Credits" />
          <CardBody>
            {credits
              ? <>
                <p className="text-3xl font-semibold tracking-tight tabular-nums">{credits.available.toLocaleString("en")}</p>
                <p className="mb-3 text-sm text-muted">{credits.held > 0 ? `available, ${credits.held} held for answers under way` : "available"}</p>
                <Gauge label="Credits" value={credits.available} held={credits.held} reach={credits.total} />
              </>
              : <p className="text-sm text-muted">The balance cannot be read right now.</p>}
          </CardBody>
        </Card>
        <HealthPanel />
        <Card>
          <CardHeader title="For programs" />
          <CardBody>
            <dl className="divide-y text-sm">
              <div className="flex items-center justify-between gap-3 py-2 first:pt-0">
                <dt><Link href="/keys" className="underline decoration-line-strong underline-offset-4 hover:decoration-current">API keys</Link></dt>
                <dd className="tabular-nums">{keys.ok ? `${live.length}${keys.data.nextCursor ? " or more" : ""} active` : "cannot be read"}</dd>
              </div>
              <div className="flex items-center justify-between gap-3 py-2">
                <dt><Link href="/machine-access" className="underline decoration-line-strong underline-offset-4 hover:decoration-current">Machine access</Link></dt>
                <dd>{grant.ok ? <GrantBadge status={grant.data.status} endsSoon={grant.data.endsSoon} /> : "cannot be read"}</dd>
              </div>
              <div className="flex items-center justify-between gap-3 py-2 last:pb-0">
                <dt>Calls with your keys</dt>
                <dd className="tabular-nums">{keys.ok ? allKeys.reduce((sum, key) => sum + key.requestCount, 0).toLocaleString("en") : "cannot be read"}</dd>
              </div>
            </dl>
          </CardBody>
        </Card>
        <Card>
          <CardHeader title="Chatflows" aside={chatflows.ok && chatflows.data.length > 4 ? <Link href="/chatflows" className="text-sm text-primary-ink underline underline-offset-4">All {chatflows.data.length}</Link> : undefined} />
          <CardBody>
            {!chatflows.ok ? <p className="text-sm text-muted">Your chatflows cannot be read right now.</p>
              : chatflows.data.length === 0 ? <p className="text-sm text-muted">None is assigned to you. Ask {portalFacts().contact ?? "your administrator"}.</p>
              : (
                <ul className="divide-y text-sm">
                  {chatflows.data.slice(0, 4).map((flow) => (
                    <li key={flow.id}>
                      <Link href={`/chatflows/${encodeURIComponent(flow.id)}`} className="flex items-center gap-3 py-2 hover:text-primary-ink"><MessagesSquare aria-hidden className="size-4 shrink-0 text-primary" /><span className="truncate">{flow.name}</span></Link>
                    </li>
                  ))}
                </ul>
              )}
          </CardBody>
        </Card>
      </div>
    </>
  );
}, { loading: <OverviewLoading /> });
