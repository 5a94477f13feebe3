const statuses = ["refused", "error", "2xx", "3xx", "4xx", "5xx", "499"] as const;
const spans = { hour: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_592_000_000 } as const;
export type Span = keyof typeof spans;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const idFrom = (value: unknown) => (typeof value === "string" && uuid.test(value) ? value : null);

/**
 * `key` is one key's id, `any` key, `none` or `all`. `portal` adds what the portal's own pages call while somebody looks at them. `user` is for
 * administrators, who look at everybody's calls.
 */
export type RequestFilter = { key: string; status: (typeof statuses)[number] | "all"; span: Span; portal: boolean; user: string | null };

/** The filter as it stands in the URL; what makes no sense there means "all". */
export function requestFilterFrom(query: { key?: unknown; status?: unknown; span?: unknown; portal?: unknown; user?: unknown }): RequestFilter {
  return {
    key: query.key === "none" || query.key === "any" ? query.key : (idFrom(query.key) ?? "all"), portal: query.portal === "true", user: idFrom(query.user),
    status: statuses.find((each) => each === query.status) ?? "all",
    span: (Object.keys(spans) as Span[]).find((each) => each === query.span) ?? "month",
  };
}

/** As it stands in the URL of the page. Parameters at rest are left out. */
export function pageQuery({ key, status, span, portal, user }: RequestFilter): string {
  return new URLSearchParams({ ...(key !== "all" && { key }), ...(user && { user }), ...(status !== "all" && { status }), ...(span !== "month" && { span }), ...(portal && { portal: "true" }) }).toString();
}

/** What the API is asked with. @param nowMs rounded, so that refreshing asks the same question. */
export function apiQuery({ key, status, span, portal, user }: RequestFilter, nowMs: number): Record<string, string> {
  const which: Record<string, string> = key === "any" ? { withKey: "true" } : key === "none" ? { withKey: "false" } : key === "all" ? {} : { apiKeyId: key };
  return { ...which, ...(portal && { includePortal: "true" }), ...(user && { userId: user }), ...(status !== "all" && { status }), ...(span !== "month" && { from: new Date(nowMs - spans[span]).toISOString() }) };
}

export const keyChoices = [{ value: "all", label: "All calls" }, { value: "any", label: "With a key" }, { value: "none", label: "Without a key" }] as const;
export const statusChoices = [
  { value: "all", label: "Any status" }, { value: "refused", label: "Refused" }, { value: "error", label: "Errors" },
  { value: "2xx", label: "2xx" }, { value: "3xx", label: "3xx" }, { value: "4xx", label: "4xx" }, { value: "5xx", label: "5xx" }, { value: "499", label: "499, caller left" },
] as const;
export const spanChoices = [{ value: "hour", label: "Last hour" }, { value: "day", label: "Last day" }, { value: "week", label: "Last week" }, { value: "month", label: "All that is kept" }] as const;
