import type { Metadata } from "next";
import { page } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { listSessions } from "@/lib/sessions";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { FailedState } from "@/app/_components/ui/failed-state";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { Reload } from "../nflow/_components/reload";
import { AccountLinks } from "./_components/account-links";
import { AccountOutcome } from "./_components/account-outcome";
import { SessionsTable } from "./_components/sessions-table";
import { SignOutMany } from "./_components/sign-out-many";

export const metadata: Metadata = { title: "Sessions" };

export default page(async (ctx, { searchParams }) => {
  const sessions = await attempt(() => listSessions(ctx));
  return (
    <>
      <PageHeader title="Sessions">Where you are signed in to Sluice. Sign out what you do not know, and change your password then.</PageHeader>
      <AccountOutcome outcome={searchParams.account} className="mb-5" />
      <Card>
        <CardHeader title="Your sessions" hint="API keys are not among them: they go on until you revoke them." className="pb-3" aside={sessions.ok ? <SignOutMany others={sessions.data.length - 1} /> : null} />
        {sessions.ok
          ? <SessionsTable rows={sessions.data} />
          : <FailedState title="Your sessions cannot be read right now" references={[{ label: "Request", value: sessions.problem.requestId }]} action={<Reload />}>{sessions.problem.detail}</FailedState>}
      </Card>
      <Card className="mt-5">
        <CardHeader title="Your account" hint="Password and second factor are Keycloak’s; Sluice never sees them." />
        <CardBody><AccountLinks accountUrl={portalFacts().accountUrl} /></CardBody>
      </Card>
    </>
  );
}, { loading: <PageLoading /> });
