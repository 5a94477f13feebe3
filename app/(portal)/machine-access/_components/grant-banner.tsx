import { cn } from "@/app/_components/ui/cn";
import { Button } from "@/app/_components/ui/button";
import { Notice } from "@/app/_components/ui/notice";
import { GrantOutcome } from "./grant-outcome";
import { grantOutcomes, type GrantStatus, grantWords, startGrantUrl } from "./grant-words";

type GrantBannerProps = { status: GrantStatus; /** Flowise is called with its own key here: only NFlow needs the grant. */ isOptional: boolean; returnTo: string; query: Record<string, unknown>; className?: string };

/** What keys lack to act as their owner, with the way to give it; and how giving it just ended. */
export function GrantBanner({ status, isOptional, returnTo, query, className }: GrantBannerProps) {
  const outcome = typeof query.grant === "string" && Object.hasOwn(grantOutcomes, query.grant) ? (query.grant as keyof typeof grantOutcomes) : null;
  if (status === "active" && !outcome) return null;
  return (
    <div className={cn("space-y-3", className)}>
      {outcome && <GrantOutcome outcome={outcome} />}
      {status !== "active" && (
        <Notice
          tone={status === "owner_disabled" ? "bad" : "warn"}
          title={status === "missing" ? "Your keys cannot act as you yet" : status === "needs_reauth" ? "Your keys cannot act as you any more" : "Your machine access is on hold"}
          action={status === "owner_disabled" ? undefined : <Button asChild><a href={startGrantUrl(returnTo)}>Give machine access</a></Button>}
        >
          {isOptional ? "Flowise works without it here; calls to NFlow are refused until you give it once at Keycloak." : grantWords[status].text}
        </Notice>
      )}
    </div>
  );
}
