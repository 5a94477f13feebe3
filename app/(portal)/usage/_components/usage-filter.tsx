"use client";

import { useRouter } from "next/navigation";
import { useTransition } from "react";
import type { Granularity } from "@/lib/usage/schemas";
import { Select } from "@/app/_components/ui/select";
import { PortalSwitch } from "../../requests/_components/portal-switch";
import { usagePage } from "./usage-address";

const spans = [{ value: "hour", label: "Last 24 hours" }, { value: "day", label: "Last 30 days" }] as const satisfies readonly { value: Granularity; label: string }[];

/** Which calls, and how far back; kept in the URL. `all` stands for every key and for what was done without one. A key has no calls from the portal to include. */
export function UsageFilter({ keys, apiKeyId, granularity, includePortal }: { keys: { id: string; name: string }[]; apiKeyId: string | null; granularity: Granularity; includePortal: boolean }) {
  const router = useRouter();
  const [isPending, start] = useTransition();
  const shown = { key: apiKeyId, span: granularity, includePortal };
  const show = (change: Partial<typeof shown>) => start(() => router.replace(usagePage({ ...shown, ...change }), { scroll: false }));
  return (
    <div className="flex flex-wrap gap-2" aria-busy={isPending}>
      <Select aria-label="Key" className="w-44" value={apiKeyId ?? "all"} choices={[{ value: "all", label: "All my calls" }, ...keys.map(({ id, name }) => ({ value: id, label: name }))]} onValueChange={(key) => show({ key: key === "all" ? null : key })} />
      <Select aria-label="Time" className="w-40" value={granularity} choices={spans} onValueChange={(span) => show({ span })} />
      {apiKeyId === null && <PortalSwitch on={includePortal} onChange={(on) => show({ includePortal: on })} />}
    </div>
  );
}
