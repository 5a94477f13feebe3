import type { Metadata } from "next";
import { hasPermission, permissionsOf } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { getGrant } from "@/lib/grants";
import { listKeys } from "@/lib/keys";
import { PageHeader } from "@/app/_components/ui/page-header";
import { GrantBanner } from "../machine-access/_components/grant-banner";
import { CreateKeyDialog } from "./_components/create-key-dialog";
import { keyFilterFrom } from "./_components/filter";
import { KeysTable } from "./_components/keys-table";

export const metadata: Metadata = { title: "API keys" };

export default page(async (ctx, { searchParams }) => {
  const { q, status } = keyFilterFrom(searchParams);
  const [keys, grant] = await Promise.all([
    listKeys(ctx, { limit: 100, ...(q && { q }), ...(status !== "all" && { status }) }),
    attempt(() => getGrant(ctx)),
  ]);
  const { baseUrl, flowiseAuth } = portalFacts();
  const mayCreate = hasPermission(ctx, "api-keys:create");
  const create = mayCreate ? <CreateKeyDialog choices={{ permissions: permissionsOf(ctx.permissions), chatflows: null, lifetimeDays: null, ownAddress: ctx.ip }} baseUrl={baseUrl} /> : null;
  return (
    <>
      <PageHeader title="API keys" actions={create}>
        {mayCreate ? "Programs that bring a key act as you. Each key has its own permissions, limit and expiry." : "Programs that bring a key act as you. Your role lets you look at keys, not create or change them."}
      </PageHeader>
      {grant.ok && <GrantBanner status={grant.data.status} isOptional={flowiseAuth === "service-key"} returnTo="/keys" query={searchParams} className="mb-5" />}
      <KeysTable initial={keys} create={create} />
    </>
  );
});
