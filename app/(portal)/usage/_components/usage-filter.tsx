"use client";

import { useRouter } from "next/navigation";
import { useTransition } from "react";
import type { Granularity } from "@/lib/usage/schemas";
import { Select } from "@/app/_components/ui/select";

const spans = [{ value: "hour", label: "Last 24 hours" }, { value: "day", label: "Last 30 days" }] as const satisfies readonly { value: Granularity; label: string }[];

/** Which calls, and how far back; kept in the URL. `all` stands for every key and for what was done without one. */
export function UsageFilter({ keys, apiKeyId, granularity }: { keys: { id: string; name: string }[]; apiKeyId: string | null; granularity: Granularity }) {
  const router = useRouter();
  const [isPending, start] = useTransition();
  function show(key: string, span: Granularity) {
    const params = new URLSearchParams({ ...(key !== "all" && { key }), ...(span !== "hour" && { span }) });
    start(() => router.replace(params.size ? `/usage?${params}` : "/usage", { scroll: false }));
  }
  return (
    <div className="flex flex-wrap gap-2" aria-busy={isPending}>
      <Select aria-label="Key" className="w-44" value={apiKeyId ?? "all"} choices={[{ value: "all", label: "All my calls" }, ...keys.map(({ id, name }) => ({ value: id, label: name }))]} onValueChange={(key) => show(key, granularity)} />
      <Select aria-label="Time" className="w-40" value={granularity} choices={spans} onValueChange={(span) => show(apiKeyId ?? "all", span)} />
    </div>
  );
}
