import { queryOptions } from "@tanstack/react-query";

export type Check = { status: "ok" | "failed"; ms: number };
export type Health = { status: "ok" | "failed"; checks: Record<string, Check> };

/** What the readiness probe says, asked every 15 s. A 503 is an answer too: it says which part is away. */
export const healthQuery = queryOptions({
  queryKey: ["health"] as const,
  queryFn: async ({ signal }): Promise<Health> => {
    const answer = await fetch("/api/health/ready", { signal });
    const body: unknown = await answer.json();
    if (typeof body !== "object" || body === null || !("checks" in body)) throw new Error("no health in the answer");
    return body as Health;
  },
  refetchInterval: 15_000,
});
