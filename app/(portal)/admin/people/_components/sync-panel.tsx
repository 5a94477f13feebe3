"use client";

import { RefreshCw } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { LastSync, UserSyncAnswer } from "@/lib/people/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Button } from "@/app/_components/ui/button";
import { Notice } from "@/app/_components/ui/notice";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { syncPeopleAction } from "../actions";

type Outcome = { ok: true; answer: UserSyncAnswer } | { ok: false; detail: string };

/** When people were last copied from Keycloak and how it went; and a button to do it now, which tells in words what it did. */
export function SyncPanel({ last }: { last: LastSync | null }) {
  const router = useRouter();
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);

  async function sync() {
    setBusy(true);
    setOutcome(null);
    try {
      const result = await syncPeopleAction({});
      setOutcome(result.ok ? { ok: true, answer: result.data } : { ok: false, detail: refusalText(result.problem) });
    } catch {
      setOutcome({ ok: false, detail: "The portal did not answer. Check your connection; the sync may go on by itself." });
    } finally {
      setBusy(false);
      router.refresh();
    }
  }

  return (
    <div className="mb-5 space-y-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm text-muted">
        <Button variant="secondary" busy={busy} onClick={() => void sync()}><RefreshCw aria-hidden />Sync with Keycloak</Button>
        <p>{busy ? "Reading everybody; a large realm takes a while." : <LastWords last={last} />}</p>
      </div>
      {outcome && !outcome.ok && <Notice live tone="bad" title="The sync failed">{outcome.detail} Nobody was deactivated by what could not be read.</Notice>}
      {outcome?.ok && <SyncResult answer={outcome.answer} />}
    </div>
  );
}

function SyncResult({ answer: { message, statistics: { errors } } }: { answer: UserSyncAnswer }) {
  return (
    <Notice live tone={errors.length > 0 ? "warn" : "good"} title="Synced with Keycloak">
      <p>{message}</p>
      {errors.length > 0 && <ul className="mt-1.5 list-disc space-y-0.5 pl-5">{errors.slice(0, 10).map((error) => <li key={error} className="wrap-anywhere">{error}</li>)}{errors.length > 10 && <li>and {errors.length - 10} more</li>}</ul>}
    </Notice>
  );
}

function LastWords({ last }: { last: LastSync | null }) {
  if (!last) return "Never synced yet.";
  if (last.succeeded === null) return <>A sync started <RelativeTime at={last.startedAt} />.</>;
  if (!last.succeeded) return <>The sync of <RelativeTime at={last.startedAt} /> failed: {last.error ?? "see the log"}</>;
  const changes = last.statistics && [[last.statistics.created_users, "new"], [last.statistics.updated_users, "changed"], [last.statistics.deactivated_users, "deactivated"]].filter(([count]) => count).map(([count, word]) => `${count} ${word}`);
  return <>Last synced <RelativeTime at={last.startedAt} />: {changes?.length ? changes.join(", ") : "nothing had changed"}{last.statistics?.errors.length ? `, ${last.statistics.errors.length} failed` : ""}.</>;
}
