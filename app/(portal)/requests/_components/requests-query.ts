import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import type { AnyRequestView, RequestView } from "@/lib/usage/schemas";
import { apiQuery, type RequestFilter } from "./filter";

/** A call of one's own, or with its owner where an administrator looks. */
export type ShownRequest = RequestView & Partial<Pick<AnyRequestView, "userId" | "user" | "keyName">>;
export type RequestsPage = { requests: ShownRequest[]; nextCursor: string | null };

export const requestsPerPage = 50;

/** @param endpoint one's own calls, or everybody's. Read again every 5 s while the page is looked at. */
export function requestsQuery(endpoint: "/api/v1/requests" | "/api/v1/admin/requests", filter: RequestFilter) {
  return infiniteQueryOptions({
    queryKey: ["requests", endpoint, filter] as const,
    async queryFn({ pageParam, signal }): Promise<RequestsPage> {
      const params = new URLSearchParams({ ...apiQuery(filter, Date.now()), limit: String(requestsPerPage), ...(pageParam && { cursor: pageParam }) });
      const answer = await fetch(`${endpoint}?${params}`, { signal, headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(((await answer.json().catch(() => null)) as { detail?: string } | null)?.detail ?? "The requests could not be read.");
      const body = (await answer.json()) as { data: ShownRequest[]; page: { nextCursor: string | null } };
      return { requests: body.data, nextCursor: body.page.nextCursor };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  });
}
