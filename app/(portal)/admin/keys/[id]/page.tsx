import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { hasPermission, permissionMask, permissionsOf } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { getAnyKey } from "@/lib/keys";
import { Badge } from "@/app/_components/ui/badge";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { PageHeader } from "@/app/_components/ui/page-header";
import { KeyFacts } from "../../../keys/[id]/_components/key-facts";
import { KeyNotices } from "../../../keys/[id]/_components/key-notices";
import { KeyUsage } from "../../../keys/[id]/_components/key-usage";
import { statusTones } from "../../../keys/_components/status-tones";
import { ListFailed } from "../../_components/list-failed";
import { path } from "../_components/filter";
import { AnyKeyMenu } from "../_components/key-menu";
import { KeyLoading } from "../../../keys/[id]/_components/key-loading";

export const metadata: Metadata = { title: "API key" };

/** Somebody's key: what it may do and did, and how to stop it. The rest is its owner's to change. */
export default page(async (ctx, { params }) => {
  const found = await attempt(() => getAnyKey(ctx, params.id ?? ""));
  if (!found.ok) {
    if (found.problem.status === 404) notFound();
    return <><PageHeader title="API key" /><ListFailed title="This key could not be read" problem={found.problem} /></>;
  }
  const key = found.data;
  const maker = key.createdBy.type === "apiKey" ? await attempt(() => getAnyKey(ctx, key.createdBy.id ?? "")) : null;
  const owner = (
    <>
      {hasPermission(ctx, "admin:users") ? <Link href={`/admin/people/${key.userId}`} prefetch={false} className="underline decoration-line-strong underline-offset-4 hover:decoration-current">{key.user}</Link> : key.user} of {key.tenant}
      {key.grant === "missing" && <span className="block text-xs text-muted">Has not given machine access: calls to the engines wait for it.</span>}
    </>
  );
  return (
    <>
      <PageHeader
        title={<span className="wrap-anywhere">{key.name}</span>}
        above={<Link href={path} className="underline underline-offset-4 hover:text-foreground">All API keys</Link>}
        actions={<><Badge dot tone={statusTones[key.status]} className="px-2.5 py-1 text-sm">{key.status}</Badge><AnyKeyMenu apiKey={key} /></>}
      >
        {key.description}
      </PageHeader>
      <KeyNotices apiKey={key} reminders={[]} isOwn={false} />
      <div className="space-y-5">
        <Card aria-label="Facts">
          <CardHeader title="What it is" hint="As its owner reads it, who is meant by “you”." />
          <CardBody><KeyFacts apiKey={key} owner={owner} held={permissionsOf(permissionMask(key.permissions))} choices={null} maker={maker?.ok ? maker.data : null} created={[]} /></CardBody>
        </Card>
        <KeyUsage apiKeyId={key.id} keysAt="/api/v1/admin/api-keys" callsAt={hasPermission(ctx, "admin:audit") ? "/admin/requests" : null} />
      </div>
    </>
  );
}, { needs: "admin:keys", loading: <KeyLoading /> });
