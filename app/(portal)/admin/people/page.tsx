import type { Metadata } from "next";
import { hasPermission } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { findLastSync, listPeople } from "@/lib/people";
import { listTenants } from "@/lib/tenants";
import { Card } from "@/app/_components/ui/card";
import { Notice } from "@/app/_components/ui/notice";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { ListFailed } from "../_components/list-failed";
import { ListFilter } from "../_components/list-filter";
import { Pager } from "../_components/pager";
import { SearchBox } from "../_components/search-box";
import { pathOf } from "../_components/search-query";
import { paramsOf, path, peopleFilterFrom } from "./_components/filter";
import { FilterChoices } from "./_components/filter-choices";
import { PeopleTable } from "./_components/people-table";
import { SyncPanel } from "./_components/sync-panel";

export const metadata: Metadata = { title: "People" };

export default page(async (ctx, { searchParams }) => {
  const { filter, cursor, input } = peopleFilterFrom(searchParams);
  const [people, sync, tenants] = await Promise.all([attempt(() => listPeople(ctx, input)), attempt(() => findLastSync(ctx)), hasPermission(ctx, "admin:tenants") ? attempt(() => listTenants(ctx, { limit: 100 })) : null]);
  if (!people.ok) return <><PageHeader title="People" /><ListFailed title="The people could not be read" problem={people.problem} /></>;
  const params = paramsOf(filter);
  const canSync = sync.ok && sync.data.canSync;
  const known = tenants?.ok ? tenants.data.tenants.map(({ slug, name }) => ({ slug, name })) : [];
  return (
    <>
      <PageHeader title="People">Everybody whom Keycloak knows and who was here or was copied. Their role and tenant come from Keycloak.</PageHeader>
      {canSync ? <SyncPanel last={sync.data.last} /> : sync.ok && <Notice className="mb-5" title="Only people who signed in are known">A service account (KEYCLOAK_SYNC_CLIENT_ID) would copy the others, and notice within half a minute whom Keycloak disables.</Notice>}
      <Card>
        <ListFilter path={path} params={params}>
          <div role="search" className="flex flex-wrap gap-2 border-b p-3">
            <SearchBox label="Search people by name, email or id" />
            <FilterChoices tenants={known} />
          </div>
          <PeopleTable rows={people.data.people} filter={filter} isFiltered={Boolean(filter.q || filter.role || filter.is_active || filter.tenant || cursor)} canSync={canSync} />
        </ListFilter>
        <Pager first={cursor ? pathOf(path, params) : null} next={people.data.nextCursor ? pathOf(path, { ...params, cursor: people.data.nextCursor }) : null} />
      </Card>
    </>
  );
}, { needs: "admin:users", loading: <PageLoading /> });
