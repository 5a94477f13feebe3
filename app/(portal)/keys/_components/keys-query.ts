import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { type KeyFilter, keyQueryString } from "./filter";

export type KeysPage = { keys: ApiKeyView[]; nextCursor: string | null };

async function fetchKeys(filter: KeyFilter, cursor: string | null, signal: AbortSignal): Promise<KeysPage> {
  const params = new URLSearchParams(keyQueryString(filter));
  params.set("limit", "100");
  params.set("activity", "true");
  if (cursor) params.set("cursor", cursor);
  const answer = await fetch(`/api/v1/auth/api-keys?${params}`, { signal, headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(((await answer.json().catch(() => null)) as { detail?: string } | null)?.detail ?? "The keys could not be read.");
  const body = (await answer.json()) as { data: ApiKeyView[]; page: { nextCursor: string | null } };
  return { keys: body.data, nextCursor: body.page.nextCursor };
}

/** Uses and counts move by themselves every 5 s; a list that was paged far is a lot to read again, so it rests longer. */
const refreshMs = (pages: number) => (pages <= 2 ? 5_000 : 60_000);

/** One's own keys, read again while the page is looked at. */
export function keysQuery(filter: KeyFilter) {
  return infiniteQueryOptions({
    queryKey: ["api-keys", filter] as const,
    queryFn: ({ pageParam, signal }) => fetchKeys(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    refetchInterval: (query) => refreshMs(query.state.data?.pages.length ?? 1),
    placeholderData: keepPreviousData,
  });
}
