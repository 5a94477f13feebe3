import type { Metadata } from "next";
import Link from "next/link";
import { hasPermission } from "@/lib/access";
import { page } from "@/lib/entry/page";
import { attempt, portalFacts } from "@/lib/entry/portal";
import { getGrantDetails } from "@/lib/grants";
import { getKeyAllowance } from "@/lib/keys";
import { Badge } from "@/app/_components/ui/badge";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { PageHeader } from "@/app/_components/ui/page-header";
import { PageLoading } from "@/app/_components/ui/page-loading";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { GrantOutcome } from "./_components/grant-outcome";
import { endsSoonWords, grantOutcomes, grantWords, keysInWords, lossWords, startGrantUrl, throughWords } from "./_components/grant-words";
import { RemoveGrant } from "./_components/remove-grant";

export const metadata: Metadata = { title: "Machine access" };

/** A day is exact enough for an end that is weeks ahead. */
const dateOf = (at: string) => new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(at));

export default page(async (ctx, { searchParams }) => {
  const [grant, allowance] = await Promise.all([getGrantDetails(ctx), hasPermission(ctx, "api-keys:read") ? attempt(() => getKeyAllowance(ctx)) : null]);
  const liveKeys = allowance?.ok ? allowance.data.liveKeys : null;
  const words = grant.endsSoon ? endsSoonWords : grantWords[grant.status];
  const outcome = typeof searchParams.grant === "string" && Object.hasOwn(grantOutcomes, searchParams.grant) ? (searchParams.grant as keyof typeof grantOutcomes) : null;
  return (
    <>
      <PageHeader title="Machine access">Lets your API keys act as you while you are not here. You give it once, at Keycloak, and can take it back at any time.</PageHeader>
      {outcome && <GrantOutcome outcome={outcome} className="mb-5" />}
      <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)]">
        <Card>
          <CardHeader title="Your machine access" aside={<Badge dot tone={words.tone}>{words.label}</Badge>} />
          <CardBody>
            <p className="text-sm text-muted">{grant.reason ? `${lossWords[grant.reason]} Calls to the engines are refused until you give it again.` : words.text}</p>
            {grant.status !== "missing" && (
              <dl className="mt-4 grid grid-cols-[8rem_minmax(0,1fr)] gap-y-2 border-t pt-4 text-sm">
                <dt className="text-muted">Given</dt><dd><RelativeTime at={grant.givenAt} /></dd>
                {grant.through && <><dt className="text-muted">Through</dt><dd>{throughWords[grant.through]}</dd></>}
                <dt className="text-muted">Last used</dt><dd><RelativeTime at={grant.lastUsedAt} /></dd>
                {grant.status !== "needs_reauth" && <>
                  <dt className="text-muted">Lasts until</dt><dd><RelativeTime at={grant.actsUntil} never="no end is known" />{grant.actsUntil && <span className="text-muted">, {dateOf(grant.actsUntil)}</span>}</dd>
                  <dt className="text-muted">If unused, until</dt><dd>{grant.idleUntil && grant.idleUntil === grant.actsUntil ? <span className="text-muted">its end</span> : <><RelativeTime at={grant.idleUntil} never="no end is known" />{grant.idleUntil && <span className="text-muted">; Sluice uses it in time</span>}</>}</dd>
                </>}
                {liveKeys !== null && <><dt className="text-muted">Leaning on it</dt><dd><Link href="/keys" className="underline decoration-line-strong underline-offset-4 hover:decoration-current">{keysInWords(liveKeys)}</Link></dd></>}
              </dl>
            )}
            <div className="mt-5 flex flex-wrap gap-2">
              {grant.status !== "owner_disabled" && (
                <Button asChild variant={grant.status === "active" && !grant.endsSoon ? "secondary" : "primary"}>
                  <a href={startGrantUrl("/machine-access")}>{grant.status === "active" ? "Renew" : grant.status === "missing" ? "Give machine access" : "Give machine access again"}</a>
                </Button>
              )}
              {grant.status !== "missing" && <RemoveGrant liveKeys={liveKeys} />}
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
                "Sluice uses it now and then, so that keys which you rarely need go on working, and renews it when you sign in and much of its time is gone. You are told 14 and 3 days before it ends.",
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
}, { loading: <PageLoading /> });
