import type { Metadata } from "next";
import { hasPermission } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { getGrant } from "@/lib/grants";
import { getKeyAllowance, listKeyReminders, listKeys } from "@/lib/keys";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { GrantBanner } from "../machine-access/_components/grant-banner";
import { choicesFor } from "./_components/choices";
import { CreateKey, CreateKeyButton } from "./_components/create-key-dialog";
import { keyFilterFrom, keyListInput } from "./_components/filter";
import { KeysTable } from "./_components/keys-table";

export const metadata: Metadata = { title: "API keys" };

export default page(async (ctx, { searchParams }) => {
  const mayCreate = hasPermission(ctx, "api-keys:create");
  const [keys, reminders, allowance, grant, choices] = await Promise.all([
    listKeys(ctx, { limit: 100, ...keyListInput(keyFilterFrom(searchParams)) }),
    attempt(() => listKeyReminders(ctx)), attempt(() => getKeyAllowance(ctx)), attempt(() => getGrant(ctx)), mayCreate ? choicesFor(ctx) : null,
  ]);
  const { baseUrl, flowiseAuth } = portalFacts();
  const content = (
    <>
      <PageHeader title="API keys" actions={<CreateKeyButton />}>
        Programs that bring a key act as you. {mayCreate ? "Each key has its own permissions, limit and expiry." : "Your role lets you look at keys, not create or change them."}
        {mayCreate && allowance.ok && ` You have ${allowance.data.liveKeys} of at most ${allowance.data.keysMax}.`}
      </PageHeader>
      {grant.ok && <GrantBanner status={grant.data.status} isOptional={flowiseAuth === "service-key"} returnTo="/keys" query={searchParams} className="mb-5" />}
      <KeysTable initial={keys} reminders={reminders.ok ? reminders.data : []} mayManage={hasPermission(ctx, "api-keys:manage")} create={<CreateKeyButton />} />
    </>
  );
  return choices ? <CreateKey choices={choices} baseUrl={baseUrl}>{content}</CreateKey> : content;
}, { needs: "api-keys:read", loading: <PageLoading /> });
