import type { Metadata } from "next";
import { page } from "@/lib/entry/page";
import { portalFacts } from "@/lib/entry/portal";
import { getGrant } from "@/lib/grants";
import { Badge } from "@/app/_components/ui/badge";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { PageHeader } from "@/app/_components/ui/page-header";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { GrantOutcome } from "./_components/grant-outcome";
import { grantOutcomes, grantWords, startGrantUrl } from "./_components/grant-words";
import { RemoveGrant } from "./_components/remove-grant";

export const metadata: Metadata = { title: "Machine access" };

export default page(async (ctx, { searchParams }) => {
  const grant = await getGrant(ctx);
  const words = grantWords[grant.status];
  const outcome = typeof searchParams.grant === "string" && Object.hasOwn(grantOutcomes, searchParams.grant) ? (searchParams.grant as keyof typeof grantOutcomes) : null;
  return (
    <>
      <PageHeader title="Machine access">Lets your API keys act as you while you are not here. You give it once, at Keycloak, and can take it back at any time.</PageHeader>
      {outcome && <GrantOutcome outcome={outcome} className="mb-5" />}
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)]">
        <Card>
          <CardHeader title="Your machine access" aside={<Badge dot tone={words.tone}>{words.label}</Badge>} />
          <CardBody>
            <p className="text-sm text-muted">{words.text}</p>
            {grant.status !== "missing" && (
              <dl className="mt-4 grid grid-cols-[8rem_minmax(0,1fr)] gap-y-2 border-t pt-4 text-sm">
                <dt className="text-muted">Given</dt><dd><RelativeTime at={grant.givenAt} /></dd>
                <dt className="text-muted">Last used</dt><dd><RelativeTime at={grant.lastUsedAt} /></dd>
                <dt className="text-muted">Lasts until</dt><dd><RelativeTime at={grant.actsUntil} never="no fixed end" /></dd>
                <dt className="text-muted">If unused, until</dt><dd><RelativeTime at={grant.idleUntil} never="no fixed end" /></dd>
              </dl>
            )}
            <div className="mt-5 flex flex-wrap gap-2">
              {grant.status !== "owner_disabled" && (
                <Button asChild variant={grant.status === "active" ? "secondary" : "primary"}>
                  <a href={startGrantUrl("/machine-access")}>{grant.status === "active" ? "Renew" : "Give machine access"}</a>
                </Button>
              )}
              {grant.status !== "missing" && <RemoveGrant />}
            </div>
          </CardBody>
        </Card>
        <Card>
          <CardHeader title="What happens when you give it" />
          <CardBody>
            <ol className="space-y-3 text-sm">
              {[
                "Keycloak asks you to sign in again if that was a while ago, and then whether Sluice may act for you offline.",
                `Sluice keeps one offline token for you, encrypted with a key of its own. It never leaves ${new URL(portalFacts().baseUrl).host}.`,
                "For each call with one of your keys it obtains a short token of yours, made out to that engine alone.",
                "Signing out here does not end it. Removing it here, or in Keycloak’s account console, does.",
              ].map((text, i) => (
                <li key={text} className="flex gap-3"><span aria-hidden className="grid size-5 shrink-0 place-content-center rounded-full bg-primary-soft text-xs font-semibold text-primary-ink tabular-nums">{i + 1}</span><span className="text-muted">{text}</span></li>
              ))}
            </ol>
          </CardBody>
        </Card>
      </div>
    </>
  );
});
