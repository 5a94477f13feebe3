import { KeyStatus, keyStatuses } from "@/lib/keys/schemas";

export type KeyFilter = { q: string; status: KeyStatus | "all" };

/** The filter as it stands in the URL; what makes no sense there means "all". */
export function keyFilterFrom(query: { q?: unknown; status?: unknown }): KeyFilter {
  const status = KeyStatus.safeParse(query.status);
  return { q: typeof query.q === "string" ? query.q.trim().slice(0, 100) : "", status: status.success ? status.data : "all" };
}

/** What the API is asked with. Parameters at rest are left out. */
export function keyQueryString({ q, status }: KeyFilter): string {
  const params = new URLSearchParams();
  if (q) params.set("q", q);
  if (status !== "all") params.set("status", status);
  return params.toString();
}

export const statusChoices = [{ value: "all", label: "Any status" }, ...keyStatuses.map((value) => ({ value, label: value.charAt(0).toUpperCase() + value.slice(1) }))] as const;
