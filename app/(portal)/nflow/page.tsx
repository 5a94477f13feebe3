import type { Metadata } from "next";
import { hasPermission } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt, engineMs } from "@/lib/entry/portal";
import { searchApps } from "@/lib/nflow";
import { Button } from "@/app/_components/ui/button";
import { Card } from "@/app/_components/ui/card";
import { FailedState } from "@/app/_components/ui/failed-state";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { type AppRow, AppsTable } from "./_components/apps-table";
import { CreateAppDialog } from "./_components/create-app-dialog";
import { appFilterFrom, pageSize } from "./_components/filter";
import { Reload } from "./_components/reload";

export const metadata: Metadata = { title: "NFlow" };

export default page(async (ctx, { searchParams }) => {
  const { q, page: number } = appFilterFrom(searchParams);
  const apps = await attempt(() => searchApps(ctx, { offset: (number - 1) * pageSize, limit: pageSize, ...(q && { searchText: q }) }), engineMs);
  // No word of NFlow's: the face of this one looks whether Keycloak is back, and then shows the page.
  if (!apps.ok && ["identity_unavailable", "auth_busy"].includes(apps.problem.code)) throw Object.assign(new Error(apps.problem.detail), { digest: `sluice.${apps.problem.code}` });
  const mayWrite = hasPermission(ctx, "nflow:write");
  const create = mayWrite ? <CreateAppDialog /> : null;
  const refId = apps.ok ? undefined : apps.problem.refId;
  return (
    <>
      <PageHeader title="NFlow applications" actions={apps.ok ? create : null}>What NFlow shows you, and what you make there is yours: every step is taken as you.</PageHeader>
      {apps.ok
        ? <AppsTable q={q} page={number} total={apps.data.pageInfo.total} create={create} rows={apps.data.data.map((app): AppRow => ({ name: app.name, displayName: app.displayName, description: app.description ?? null, updatedAt: app.updatedAt ?? null, mayRemove: mayWrite }))} />
        : (
          <Card>
            <FailedState
              title={apps.problem.code === "session_expired" ? "Your session has ended" : "NFlow did not answer as it should"}
              references={[{ label: "NFlow’s reference", value: typeof refId === "string" ? refId : undefined }, { label: "Request", value: apps.problem.requestId }]}
              action={apps.problem.code === "session_expired" ? <Button asChild><a href="/sign-in?returnTo=/nflow">Sign in</a></Button> : <Reload />}
            >{apps.problem.detail}</FailedState>
          </Card>
        )}
    </>
  );
}, { needs: "nflow:read", loading: <PageLoading />, contentMs: engineMs });
