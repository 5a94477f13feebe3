"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import type { Granularity } from "@/lib/usage/schemas";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { FailedState } from "@/app/_components/ui/failed-state";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { Select } from "@/app/_components/ui/select";
import { Skeleton } from "@/app/_components/ui/skeleton";
import { Totals } from "../../../usage/_components/totals";
import { UsagePlots } from "../../../usage/_components/usage-plots";
import { type KeysAt, keyUsageQuery } from "./key-usage-query";

const spans = [{ value: "hour", label: "Last 24 hours" }, { value: "day", label: "Last 30 days" }] as const;

/** What one key did lately: totals, plots, last use. It reads and refreshes by itself. */
export function KeyUsage({ apiKeyId, keysAt, callsAt }: { apiKeyId: string; keysAt: KeysAt; /** The page of single calls, for those who may open it. */ callsAt: "/requests" | "/admin/requests" | null }) {
  const [granularity, setGranularity] = useState<Granularity>("hour");
  const usage = useQuery(keyUsageQuery(keysAt, apiKeyId, granularity));
  return (
    <Card>
      <CardHeader
        title="Usage" hint={callsAt && <Link href={`${callsAt}?key=${apiKeyId}`} className="underline underline-offset-4">Its single calls</Link>}
        aside={<Select aria-label="Time" className="w-40" value={granularity} choices={spans} onValueChange={setGranularity} />}
      />
      <CardBody className="space-y-6">
        {usage.data
          ? (
            <>
              {usage.isError && <p role="status" className="rounded-md bg-brass-soft px-3 py-2 text-sm text-brass-ink">These numbers are not fresh: {usage.error.message}</p>}
              <Totals items={[
                { label: "Requests", value: usage.data.totalRequests }, { label: "Errors", value: usage.data.errors }, { label: "Refused", value: usage.data.rateLimited }, { label: "Credits", value: usage.data.creditsSpent },
                { label: "Last used", value: <span className="text-base font-medium"><RelativeTime at={usage.data.lastUsedAt} /></span> },
                { label: "Last attempt", value: <span className="text-base font-medium"><RelativeTime at={usage.data.lastRequestAt} /></span> },
              ]} />
              <UsagePlots series={usage.data.series} granularity={granularity} />
            </>
          )
          : usage.isError
            ? <FailedState title="The usage could not be read" action={<Button variant="secondary" onClick={() => void usage.refetch()}>Try again</Button>}>{usage.error.message}</FailedState>
            : <div aria-busy="true"><span className="sr-only">Reading the usage</span><Skeleton className="h-12 w-full" /><Skeleton className="mt-6 h-[246px] w-full" /></div>}
      </CardBody>
    </Card>
  );
}
