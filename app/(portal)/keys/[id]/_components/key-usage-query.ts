import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Granularity, KeyUsageView } from "@/lib/usage/schemas";

/** What a key has done, read again every 5 s while it is looked at. */
export function keyUsageQuery(apiKeyId: string, granularity: Granularity) {
  return queryOptions({
    queryKey: ["key-usage", apiKeyId, granularity] as const,
    async queryFn({ signal }): Promise<KeyUsageView> {
      const answer = await fetch(`/api/v1/auth/api-keys/${encodeURIComponent(apiKeyId)}/usage?granularity=${granularity}`, { signal, headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(((await answer.json().catch(() => null)) as { detail?: string } | null)?.detail ?? "The usage could not be read.");
      return ((await answer.json()) as { data: KeyUsageView }).data;
    },
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  });
}
