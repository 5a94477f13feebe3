import type { Metadata } from "next";
import { hasPermission } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt } from "@/lib/entry/portal";
import { listKeys } from "@/lib/keys";
import { ListKeysInput } from "@/lib/keys/schemas";
import { listRequests } from "@/lib/usage";
import { ListRequestsInput } from "@/lib/usage/schemas";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { apiQuery, requestFilterFrom } from "./_components/filter";
import { requestsPerPage } from "./_components/requests-query";
import { RequestsTable } from "./_components/requests-table";

export const metadata: Metadata = { title: "Requests" };

export default page(async (ctx, { searchParams }) => {
  const filter = requestFilterFrom(searchParams);
  const [initial, keys] = await Promise.all([
    listRequests(ctx, ListRequestsInput.parse({ ...apiQuery(filter, Date.now()), limit: requestsPerPage })),
    // Without them the filter has fewer choices, and the list is still there.
    attempt(async () => (hasPermission(ctx, "api-keys:read") ? (await listKeys(ctx, ListKeysInput.parse({ limit: 100 }))).keys : [])),
  ]);
  return (
    <>
      <PageHeader title="Requests">Every call of your programs, refused ones included. Calls from this portal are left out unless you include them.</PageHeader>
      <RequestsTable scope="own" initial={initial} keys={keys.ok ? keys.data.map(({ id, name }) => ({ id, name })) : []} />
    </>
  );
}, { needs: "usage:read", loading: <PageLoading /> });
