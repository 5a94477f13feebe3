import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { hasPermission, permissionMask, permissionsOf } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { getKey, getRotation, listCreatedKeys, listKeyReminders } from "@/lib/keys";
import { Badge } from "@/app/_components/ui/badge";
import { PageHeader } from "@/app/_components/ui/page-header";
import { choicesFor } from "../_components/choices";
import { statusTones } from "../_components/status-tones";
import { KeyDanger } from "./_components/key-danger";
import { KeyFacts } from "./_components/key-facts";
import { KeyNotices } from "./_components/key-notices";
import { KeySettings } from "./_components/key-settings";
import { KeyUsage } from "./_components/key-usage";
import { RotationPanel } from "./_components/rotation-panel";
import { KeyLoading } from "./_components/key-loading";

export const metadata: Metadata = { title: "API key" };

export default page(async (ctx, { params }) => {
  const id = params.id ?? "";
  const found = await attempt(() => getKey(ctx, id));
  if (!found.ok) {
    if (found.problem.status === 404) notFound();
    throw Object.assign(new Error(found.problem.detail), { digest: `sluice.${found.problem.code}` });
  }
  const key = found.data;
  // An expired key can be given a later expiry, and then a new secret; a revoked one nothing more.
  const mayManage = hasPermission(ctx, "api-keys:manage") && key.status !== "revoked";
  const [reminders, rotation, created, maker, choices] = await Promise.all([
    attempt(() => listKeyReminders(ctx, { apiKeyId: id })), attempt(() => getRotation(ctx, id)), attempt(() => listCreatedKeys(ctx, id)),
    key.createdBy.type === "apiKey" ? attempt(() => getKey(ctx, key.createdBy.id ?? "")) : null, choicesFor(ctx),
  ]);
  const held = permissionsOf(permissionMask(key.permissions));
  const children = created.ok ? created.data : [];
  return (
    <>
      <PageHeader
        title={<span className="wrap-anywhere">{key.name}</span>}
        above={<Link href="/keys" className="underline underline-offset-4 hover:text-foreground">API keys</Link>}
        actions={<Badge dot tone={statusTones[key.status]} className="px-2.5 py-1 text-sm">{key.status}</Badge>}
      >
        {key.description}
      </PageHeader>
      <KeyNotices apiKey={key} reminders={reminders.ok ? reminders.data : []} />
      <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="space-y-5">
          <KeySettings apiKey={key} held={held} choices={choices} mayManage={mayManage}>
            <KeyFacts apiKey={key} held={held} choices={choices} maker={maker?.ok ? maker.data : null} created={children} />
          </KeySettings>
          {hasPermission(ctx, "usage:read") && <KeyUsage apiKeyId={key.id} keysAt="/api/v1/auth/api-keys" callsAt="/requests" />}
        </div>
        <div className="space-y-5">
          {key.status !== "revoked" && key.status !== "expired" && <RotationPanel apiKey={key} initial={rotation.ok ? rotation.data : undefined} baseUrl={portalFacts().baseUrl} mayManage={mayManage} />}
          {mayManage && <KeyDanger apiKey={key} created={children.map((each) => each.name)} />}
        </div>
      </div>
    </>
  );
}, { needs: "api-keys:read", loading: <KeyLoading /> });
