import type { Metadata } from "next";
import { hasPermission } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { listPlans, listTenants } from "@/lib/tenants";
import { Card } from "@/app/_components/ui/card";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { ListFailed } from "../_components/list-failed";
import { ListFilter } from "../_components/list-filter";
import { Pager } from "../_components/pager";
import { SearchBox } from "../_components/search-box";
import { listQueryFrom, pathOf } from "../_components/search-query";
import { TenantDialog } from "./_components/tenant-dialog";
import { TenantsTable } from "./_components/tenants-table";

export const metadata: Metadata = { title: "Tenants" };
const path = "/admin/tenants";

export default page(async (ctx, { searchParams }) => {
  const { q, cursor } = listQueryFrom(searchParams);
  const [tenants, plans] = await Promise.all([
    attempt(() => listTenants(ctx, { limit: 50, ...(q && { q }), ...(cursor && { cursor }) })),
    attempt(() => listPlans(ctx, { limit: 100 })),
  ]);
  const planNames = plans.ok ? plans.data.plans.map((plan) => plan.name) : [];
  const create = <TenantDialog plans={planNames} />;
  return (
    <>
      <PageHeader title="Tenants" actions={tenants.ok ? create : null}>Organisations whose people use this portal. A tenant’s plan and limits stand above those of its people and keys.</PageHeader>
      {tenants.ok
        ? (
          <Card>
            <ListFilter path={path} params={{ q }}><div role="search" className="flex border-b p-3"><SearchBox label="Search tenants by name or slug" /></div></ListFilter>
            <TenantsTable rows={tenants.data.tenants} plans={planNames} ownTenantId={ctx.tenantId} mayAdjust={hasPermission(ctx, "admin:credits")} isFiltered={q !== "" || cursor !== null} isPart={cursor !== null || tenants.data.nextCursor !== null} create={create} />
            <Pager first={cursor ? pathOf(path, { q }) : null} next={tenants.data.nextCursor ? pathOf(path, { q, cursor: tenants.data.nextCursor }) : null} />
          </Card>
        )
        : <ListFailed title="The tenants could not be read" problem={tenants.problem} />}
    </>
  );
}, { needs: "admin:tenants", loading: <PageLoading /> });
