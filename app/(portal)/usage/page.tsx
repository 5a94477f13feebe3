import { Waypoints } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { page } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { getKeyUsage, getMyUsage, type MyUsage } from "@/lib/usage";
import { Granularity, MyUsageInput, UsageInput, type UsagePoint } from "@/lib/usage/schemas";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { FailedState } from "@/app/_components/ui/failed-state";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { ms, Totals } from "./_components/totals";
import { usagePage } from "./_components/usage-address";
import { UsageFilter } from "./_components/usage-filter";
import { UsagePlots } from "./_components/usage-plots";

export const metadata: Metadata = { title: "Usage" };

type Shown = { requests: number; errors: number; refused: number; credits: number; series: UsagePoint[]; p50Ms?: number | null; p95Ms?: number | null };

export default page(async (ctx, { searchParams }) => {
  const granularity = Granularity.catch("hour").parse(searchParams.span);
  const includePortal = searchParams.portal === "true";
  const all = await attempt(() => getMyUsage(ctx, MyUsageInput.parse({ granularity, includePortal })));
  if (!all.ok) return <><PageHeader title="Usage" /><Card><FailedState title="Your usage cannot be read right now" references={[{ label: "Request id", value: all.problem.requestId }]}>{all.problem.detail}</FailedState></Card></>;

  const keys = all.data.keys.flatMap(({ key }) => (key ? [key] : []));
  const chosen = keys.find(({ id }) => id === searchParams.key) ?? null;
  const shown: Shown = chosen ? ofKey(await getKeyUsage(ctx, chosen.id, UsageInput.parse({ granularity }))) : { ...all.data.sums, series: all.data.points, p50Ms: all.data.p50Ms, p95Ms: all.data.p95Ms };
  return (
    <>
      <PageHeader title="Usage" actions={<UsageFilter keys={keys} apiKeyId={chosen?.id ?? null} granularity={granularity} includePortal={includePortal} />}>
        What your programs have called. Calls from this portal are left out unless you include them. Single calls are under <Link href={chosen ? `/requests?key=${chosen.id}` : includePortal ? "/requests?portal=true" : "/requests"} className="underline underline-offset-4">Requests</Link>.
      </PageHeader>
      <Card className="mb-5">
        <CardHeader title={chosen ? chosen.name : "All my calls"} hint={granularity === "hour" ? "The last 24 hours" : "The last 30 days, by UTC's days"} />
        <CardBody className="space-y-6">
          <Totals items={[
            { label: "Requests", value: shown.requests }, { label: "Errors", value: shown.errors, hint: shareOf(shown.errors, shown.requests) }, { label: "Refused", value: shown.refused }, { label: "Credits", value: shown.credits },
            ...(shown.p50Ms === undefined ? [] : [{ label: "Median time", value: ms(shown.p50Ms) }, { label: "95 of 100 within", value: ms(shown.p95Ms ?? null) }]),
          ]} />
          <UsagePlots series={shown.series} granularity={granularity} />
        </CardBody>
      </Card>
      {!chosen && all.data.keys.length === 0 && <Card><EmptyState icon={Waypoints} title="Nothing was called in this time">Calls of your programs show here a moment after they were made.</EmptyState></Card>}
      {!chosen && all.data.keys.length > 0 && <Shares usage={all.data} span={granularity} includePortal={includePortal} />}
    </>
  );
}, { needs: "usage:read", loading: <PageLoading /> });

function ofKey({ totalRequests, errors, rateLimited, creditsSpent, series }: Awaited<ReturnType<typeof getKeyUsage>>): Shown {
  return { requests: totalRequests, errors, refused: rateLimited, credits: creditsSpent, series };
}

const shareOf = (part: number, whole: number) => (part > 0 && whole > 0 ? `${((part / whole) * 100).toLocaleString("en", { maximumFractionDigits: 1 })} %` : undefined);

function Shares({ usage, span, includePortal }: { usage: MyUsage; span: Granularity; includePortal: boolean }) {
  return (
    <div className="grid gap-5 lg:grid-cols-2">
      <ShareTable title="By key" columns={["Key", "Requests", "Errors", "Refused"]} rows={usage.keys.map(({ key, portal, requests, errors, refused }) => ({
        id: key?.id ?? (portal ? "portal" : "none"), values: [requests, errors, refused],
        name: key ? <Link href={usagePage({ key: key.id, span, includePortal })} className="underline decoration-line-strong underline-offset-4 hover:decoration-current">{key.name}</Link> : portal ? "This portal" : "Without a key",
      }))} />
      <ShareTable title="By address" columns={["Address", "Answered", "Errors"]} rows={usage.routes.map(({ route, answered, errors }) => ({ id: route, name: <span className="font-mono text-xs break-all">{route}</span>, values: [answered, errors] }))} />
    </div>
  );
}

function ShareTable({ title, columns, rows }: { title: string; columns: string[]; rows: { id: string; name: ReactNode; values: number[] }[] }) {
  return (
    <Card>
      <CardHeader title={title} />
      <CardBody>
        <table className="w-full text-sm">
          <thead><tr className="border-b text-left text-xs text-muted">{columns.map((column, i) => <th key={column} scope="col" className={i === 0 ? "py-2 font-medium" : "py-2 pl-3 text-right font-medium"}>{column}</th>)}</tr></thead>
          <tbody className="divide-y">
            {rows.map((row) => (
              <tr key={row.id}>
                <th scope="row" className="max-w-0 w-full py-2 text-left font-normal wrap-anywhere">{row.name}</th>
                {row.values.map((value, i) => <td key={columns[i + 1]} className="py-2 pl-3 text-right tabular-nums">{value.toLocaleString("en")}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </CardBody>
    </Card>
  );
}
