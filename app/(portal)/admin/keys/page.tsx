import type { Metadata } from "next";
import { hasPermission, permissionsOf } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { listAnyKeys, listBootstrapUses } from "@/lib/keys";
import { listTenants } from "@/lib/tenants";
import { Card } from "@/app/_components/ui/card";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { ListFailed } from "../_components/list-failed";
import { ListFilter } from "../_components/list-filter";
import { Pager } from "../_components/pager";
import { SearchBox } from "../_components/search-box";
import { pathOf } from "../_components/search-query";
import { BootstrapUses } from "./_components/bootstrap-uses";
import { CreateAnyKey, CreateAnyKeyButton } from "./_components/create-any-key-dialog";
import { anyKeyFilterFrom, path } from "./_components/filter";
import { FilterChoices } from "./_components/filter-choices";
import { ImportDialog } from "./_components/import-dialog";
import { AnyKeysTable } from "./_components/keys-table";

export const metadata: Metadata = { title: "All API keys" };

export default page(async (ctx, { searchParams }) => {
  const { q, status, tenantId, cursor } = anyKeyFilterFrom(searchParams);
  const [keys, uses, tenants] = await Promise.all([
    attempt(() => listAnyKeys(ctx, { limit: 50, ...(q && { q }), ...(status !== "all" && { status }), ...(tenantId && { tenantId }), ...(cursor && { cursor }) })),
    attempt(() => listBootstrapUses(ctx)),
    hasPermission(ctx, "admin:tenants") ? attempt(() => listTenants(ctx, { limit: 100 })) : null,
  ]);
  if (!keys.ok) return <><PageHeader title="All API keys" /><ListFailed title="The keys could not be read" problem={keys.problem} /></>;
  const known = tenants?.ok ? tenants.data.tenants.map(({ id, slug, name }) => ({ id, slug, name })) : [];
  const filter = { q, status: status === "all" ? "" : status, tenantId: tenantId ?? "" };
  const slugs = known.map((tenant) => tenant.slug);
  return (
    <CreateAnyKey permissions={permissionsOf(ctx.permissions)} tenants={slugs} baseUrl={portalFacts().baseUrl}>
      <PageHeader title="All API keys" actions={<><ImportDialog tenants={slugs} /><CreateAnyKeyButton /></>}>Keys of everybody, in every tenant. What one may do is cut to its owner’s role at each call.</PageHeader>
      <Card>
        <ListFilter path={path} params={filter}>
          <div role="search" className="flex flex-wrap gap-2 border-b p-3">
            <SearchBox label="Search keys by name, start or last four" />
            <FilterChoices tenants={known} />
          </div>
        </ListFilter>
        <AnyKeysTable rows={keys.data.keys} isFiltered={Boolean(q || filter.status || tenantId || cursor)} create={<CreateAnyKeyButton />} />
        <Pager first={cursor ? pathOf(path, filter) : null} next={keys.data.nextCursor ? pathOf(path, { ...filter, cursor: keys.data.nextCursor }) : null} />
      </Card>
      <BootstrapUses uses={uses} />
    </CreateAnyKey>
  );
}, { needs: "admin:keys", loading: <PageLoading /> });
