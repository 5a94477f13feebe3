import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Granularity, KeyUsageView } from "@/lib/usage/schemas";

/** One's own keys, or everybody's for administrators. */
export type KeysAt = "/api/v1/auth/api-keys" | "/api/v1/admin/api-keys";

/** What a key has done, read again every 5 s while it is looked at. */
export function keyUsageQuery(keysAt: KeysAt, apiKeyId: string, granularity: Granularity) {
  return queryOptions({
    queryKey: ["key-usage", keysAt, apiKeyId, granularity] as const,
    async queryFn({ signal }): Promise<KeyUsageView> {
      const answer = await fetch(`${keysAt}/${encodeURIComponent(apiKeyId)}/usage?granularity=${granularity}`, { signal, headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(((await answer.json().catch(() => null)) as { detail?: string } | null)?.detail ?? "The usage could not be read.");
      return ((await answer.json()) as { data: KeyUsageView }).data;
    },
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  });
}
