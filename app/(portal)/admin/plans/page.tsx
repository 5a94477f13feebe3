import type { Metadata } from "next";
import { page } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { listPlans } from "@/lib/tenants";
import { Card } from "@/app/_components/ui/card";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { ListFailed } from "../_components/list-failed";
import { ListFilter } from "../_components/list-filter";
import { Pager } from "../_components/pager";
import { SearchBox } from "../_components/search-box";
import { listQueryFrom, pathOf } from "../_components/search-query";
import { PlanDialog } from "./_components/plan-dialog";
import { PlansTable } from "./_components/plans-table";

export const metadata: Metadata = { title: "Plans" };
const path = "/admin/plans";

export default page(async (ctx, { searchParams }) => {
  const { q, cursor } = listQueryFrom(searchParams);
  const plans = await attempt(() => listPlans(ctx, { limit: 50, ...(q && { q }), ...(cursor && { cursor }) }));
  return (
    <>
      <PageHeader title="Plans" actions={plans.ok ? <PlanDialog /> : null}>What tenants may use. A tenant’s own limit goes before its plan’s, and both before the operator’s.</PageHeader>
      {plans.ok
        ? (
          <Card>
            <ListFilter path={path} params={{ q }}><div role="search" className="flex border-b p-3"><SearchBox label="Search plans" /></div></ListFilter>
            <PlansTable rows={plans.data.plans} isPart={cursor !== null || plans.data.nextCursor !== null} />
            <Pager first={cursor ? pathOf(path, { q }) : null} next={plans.data.nextCursor ? pathOf(path, { q, cursor: plans.data.nextCursor }) : null} />
          </Card>
        )
        : <ListFailed title="The plans could not be read" problem={plans.problem} />}
    </>
  );
}, { needs: "admin:tenants", loading: <PageLoading /> });
