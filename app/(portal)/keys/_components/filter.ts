import type { KeyStatus } from "@/lib/keys/schemas";

// Named here once more, checked by the type: the schema itself would bring zod into the page for four words.
const keyStatuses = ["active", "disabled", "expired", "revoked"] as const satisfies readonly KeyStatus[];

export type KeyFilter = { q: string; status: KeyStatus | "all" };

/** The filter as it stands in the URL; what makes no sense there means "all". */
export function keyFilterFrom(query: { q?: unknown; status?: unknown }): KeyFilter {
  const status = keyStatuses.find((each) => each === query.status) ?? "all";
  return { q: typeof query.q === "string" ? query.q.trim().slice(0, 100) : "", status };
}

/** What the API is asked with. Parameters at rest are left out. */
export function keyQueryString({ q, status }: KeyFilter): string {
  const params = new URLSearchParams();
  if (q) params.set("q", q);
  if (status !== "all") params.set("status", status);
  return params.toString();
}

export const statusChoices = [{ value: "all", label: "Any status" }, ...keyStatuses.map((value) => ({ value, label: value.charAt(0).toUpperCase() + value.slice(1) }))] as const;
