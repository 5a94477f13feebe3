import { CircleHelp } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import type { ReactNode } from "react";
import { type Context, hasPermission, permissionNames, requirePerson } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt, type ErrorCode, problems } from "@/lib/entry/portal";
import { isRequestId } from "@/lib/entry/request-id";
import { getAnyKey, getKey } from "@/lib/keys";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { getDecision, listAllRequests, listRequests } from "@/lib/usage";
import { type DecisionView, isRefusal, ListAllRequestsInput, ListRequestsInput, type RequestView } from "@/lib/usage/schemas";
import { Badge } from "@/app/_components/ui/badge";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { EmptyState } from "@/app/_components/ui/empty-state";
import { FailedState } from "@/app/_components/ui/failed-state";
import { Notice } from "@/app/_components/ui/notice";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { toneOf } from "../_components/tone";
import { wordsOf } from "./_components/decision-words";
import { LookAgain } from "./_components/look-again";
import { ValueList } from "./_components/value-list";
import { WhatIfForm } from "./_components/what-if-form";

export const metadata: Metadata = { title: "Request" };

export default page(async (ctx, { params }) => {
  const requestId = decoded(params.requestId ?? "");
  if (!isRequestId(requestId)) notFound();
  const [calls, decision] = await Promise.all([attempt(() => callsOf(ctx, requestId)), attempt(() => getDecision(ctx, requestId))]);
  const reason = decision.ok ? decision.data : null;
  const found = calls.ok ? calls.data : [];
  const apiKeyId = reason?.apiKeyId ?? found.find((call) => call.apiKeyId)?.apiKeyId;
  const key = apiKeyId ? await attempt(() => (hasPermission(ctx, "admin:keys") ? getAnyKey(ctx, apiKeyId) : getKey(ctx, apiKeyId))) : null;
  return (
    <>
      <PageHeader title="Request" above={<Link href="/requests" className="underline underline-offset-4">Requests</Link>}><span className="font-mono text-xs break-all">{requestId}</span></PageHeader>
      <div className="space-y-5">
        {reason && <Why decision={reason} />}
        {!calls.ok && <Card><FailedState title="The log cannot be read right now">{calls.problem.detail}</FailedState></Card>}
        {calls.ok && found.length === 0 && <LookAgain key={requestId}>{!reason && <Card><EmptyState icon={CircleHelp} title="No call of yours has this id">It may be older than the log, or another user’s.</EmptyState></Card>}</LookAgain>}
        {found.map((call) => <Facts key={`${call.at} ${call.route}`} call={call} keyUsed={key?.ok && key.data.id === call.apiKeyId ? { name: key.data.name, href: pageOf(ctx, key.data) } : null} />)}
        {apiKeyId && key?.ok && <WhatIfForm apiKeyId={apiKeyId} keyName={key.data.name} ip={found[0]?.ip ?? null} permission={permissionNames.find((name) => reason?.check === "permission" && name === reason.limit) ?? null} />}
      </div>
    </>
  );
}, { needs: "usage:read", loading: <PageLoading /> });

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The page of a key that could be read: another's only an administrator can. */
function pageOf(ctx: Context, key: ApiKeyView): string {
  const isOwn = key.userId === requirePerson(ctx).userId && key.tenantId === ctx.tenantId;
  return `${isOwn ? "/keys" : "/admin/keys"}/${key.id}`;
}

/** One's own first; an auditor may have followed a link of the list of all. */
async function callsOf(ctx: Context, requestId: string): Promise<RequestView[]> {
  const { requests } = await listRequests(ctx, ListRequestsInput.parse({ requestId }));
  if (requests.length > 0 || !hasPermission(ctx, "admin:audit")) return requests;
  return (await listAllRequests(ctx, ListAllRequestsInput.parse({ requestId }))).requests;
}

function Why({ decision }: { decision: DecisionView }) {
  const { title, advice } = wordsOf(decision);
  const { code } = decision;
  const question = isRefusal({ code, status: problems[code as ErrorCode].status }) ? "Why was I refused?" : "Why did it fail?";
  return (
    <Card aria-label={question}>
      <CardHeader title={question} aside={<Link href={`/docs/errors/${code}`} className="font-mono text-xs underline underline-offset-4">{code}</Link>} />
      <CardBody className="space-y-4">
        <Notice tone="warn" title={title}>{advice}</Notice>
        <dl className="grid gap-x-8 gap-y-4 text-sm sm:grid-cols-3">
          <Fact name="When"><RelativeTime at={decision.at} exactToo /></Fact>
          <Fact name="The check saw"><ValueList value={decision.seen} /></Fact>
          <Fact name="It accepts"><ValueList value={decision.limit} /></Fact>
        </dl>
      </CardBody>
    </Card>
  );
}

function Facts({ call, keyUsed }: { call: RequestView; keyUsed: { name: string; href: string } | null }) {
  return (
    <Card>
      <CardHeader title={<span className="font-mono break-all">{call.method} {call.route}</span>} aside={<Badge dot tone={toneOf(call)}>{call.status}{call.code && ` ${call.code}`}</Badge>} />
      <CardBody>
        <dl className="grid gap-x-8 gap-y-4 text-sm sm:grid-cols-3">
          <Fact name="When"><RelativeTime at={call.at} exactToo /></Fact>
          <Fact name="Time to answer"><span className="tabular-nums">{call.ms.toLocaleString("en")} ms</span></Fact>
          <Fact name="Credits"><span className="tabular-nums">{call.credits}</span></Fact>
          <Fact name={call.portal ? "Made by" : "Key"}>{call.portal ? "this portal" : keyUsed ? <Link href={keyUsed.href} className="wrap-anywhere underline underline-offset-4">{keyUsed.name}</Link> : <span className="wrap-anywhere">{call.apiKeyId ?? "none"}</span>}</Fact>
          <Fact name="Engine">{call.upstream ?? "none"}{call.refId && <span className="block font-mono text-xs break-all">{call.refId}</span>}</Fact>
          <Fact name="From">{call.ip ?? "unknown"}<span className="block text-xs wrap-anywhere text-muted">{call.userAgent}</span></Fact>
        </dl>
      </CardBody>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div className="min-w-0"><dt className="text-xs text-muted">{name}</dt><dd className="mt-0.5">{children}</dd></div>;
}
