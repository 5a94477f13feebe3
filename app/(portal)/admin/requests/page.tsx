import type { Metadata } from "next";
import { page } from "@/lib/entry/page";
import { listAllRequests } from "@/lib/usage";
import { ListAllRequestsInput } from "@/lib/usage/schemas";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { apiQuery, requestFilterFrom } from "../../requests/_components/filter";
import { requestsPerPage } from "../../requests/_components/requests-query";
import { RequestsTable } from "../../requests/_components/requests-table";

export const metadata: Metadata = { title: "All requests" };

export default page(async (ctx, { searchParams }) => {
  const initial = await listAllRequests(ctx, ListAllRequestsInput.parse({ ...apiQuery(requestFilterFrom(searchParams), Date.now()), limit: requestsPerPage }));
  return (
    <>
      <PageHeader title="All requests">Every call of every person and key, refused ones included. Calls from the portal are left out unless you include them.</PageHeader>
      <RequestsTable scope="all" initial={initial} keys={[]} />
    </>
  );
}, { needs: "admin:audit", loading: <PageLoading /> });
