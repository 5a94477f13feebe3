import type { KeyOrder, KeySort, KeyStatus } from "@/lib/keys/schemas";

// Named here once more, checked by the type: the schema itself would bring zod into the page for a few words.
const keyStatuses = ["active", "disabled", "expired", "revoked"] as const satisfies readonly KeyStatus[];
const restingOrder: Record<KeySort, KeyOrder> = { createdAt: "desc", name: "asc", lastUsedAt: "desc", expiresAt: "asc" };

export type KeyFilter = { q: string; status: KeyStatus | "all"; sort: KeySort; order: KeyOrder };

export const restingFilter: KeyFilter = { q: "", status: "all", sort: "createdAt", order: "desc" };

const isSort = (value: unknown): value is KeySort => typeof value === "string" && Object.hasOwn(restingOrder, value);

/** The filter as it stands in the URL; what makes no sense there means "all" or "newest first". */
export function keyFilterFrom(query: { q?: unknown; status?: unknown; sort?: unknown; order?: unknown }): KeyFilter {
  const status = keyStatuses.find((each) => each === query.status) ?? "all";
  const sort = isSort(query.sort) ? query.sort : "createdAt";
  const order = query.order === "asc" || query.order === "desc" ? query.order : restingOrder[sort];
  return { q: typeof query.q === "string" ? query.q.trim().slice(0, 100) : "", status, sort, order };
}

/** What the API is asked with, and what the URL says. Parameters at rest are left out. */
export function keyQueryString({ q, status, sort, order }: KeyFilter): string {
  const params = new URLSearchParams();
  if (q) params.set("q", q);
  if (status !== "all") params.set("status", status);
  if (sort !== "createdAt") params.set("sort", sort);
  if (order !== restingOrder[sort]) params.set("order", order);
  return params.toString();
}

/** For the verb, without the ways of the URL. */
export function keyListInput({ q, status, sort, order }: KeyFilter) {
  return { sort, order, activity: "true" as const, ...(q && { q }), ...(status !== "all" && { status }) };
}

export const statusChoices = [{ value: "all", label: "Any status" }, ...keyStatuses.map((value) => ({ value, label: value.charAt(0).toUpperCase() + value.slice(1) }))] as const;

/** For narrow screens, where no header can be pressed. */
export const sortChoices = [
  { value: "createdAt.desc", label: "Newest first" },
  { value: "createdAt.asc", label: "Oldest first" },
  { value: "name.asc", label: "Name, A to Z" },
  { value: "name.desc", label: "Name, Z to A" },
  { value: "lastUsedAt.desc", label: "Used last" },
  { value: "lastUsedAt.asc", label: "Longest unused" },
  { value: "expiresAt.asc", label: "Expires first" },
  { value: "expiresAt.desc", label: "Expires last" },
] as const satisfies readonly { value: `${KeySort}.${KeyOrder}`; label: string }[];
