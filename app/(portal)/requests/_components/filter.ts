const statusClasses = ["2xx", "3xx", "4xx", "5xx", "499"] as const;
const spans = { hour: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_592_000_000 } as const;
export type Span = keyof typeof spans;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const idFrom = (value: unknown) => (typeof value === "string" && uuid.test(value) ? value : null);

/**
 * `key` is one key's id, `any` key, `none` or `all`. At rest it is `any`: what pages ask by themselves while they are looked at is nobody's question.
 * `user` is for administrators, who look at everybody's calls.
 */
export type RequestFilter = { key: string; status: (typeof statusClasses)[number] | "all"; span: Span; user: string | null };

/** The filter as it stands in the URL; what makes no sense there means "all". */
export function requestFilterFrom(query: { key?: unknown; status?: unknown; span?: unknown; user?: unknown }): RequestFilter {
  return {
    key: query.key === "none" || query.key === "all" ? query.key : (idFrom(query.key) ?? "any"), user: idFrom(query.user),
    status: statusClasses.find((each) => each === query.status) ?? "all",
    span: (Object.keys(spans) as Span[]).find((each) => each === query.span) ?? "month",
  };
}

/** As it stands in the URL of the page. Parameters at rest are left out. */
export function pageQuery({ key, status, span, user }: RequestFilter): string {
  return new URLSearchParams({ ...(key !== "any" && { key }), ...(user && { user }), ...(status !== "all" && { status }), ...(span !== "month" && { span }) }).toString();
}

/** What the API is asked with. @param nowMs rounded, so that refreshing asks the same question. */
export function apiQuery({ key, status, span, user }: RequestFilter, nowMs: number): Record<string, string> {
  const which: Record<string, string> = key === "any" ? { withKey: "true" } : key === "none" ? { withKey: "false" } : key === "all" ? {} : { apiKeyId: key };
  return { ...which, ...(user && { userId: user }), ...(status !== "all" && { status }), ...(span !== "month" && { from: new Date(nowMs - spans[span]).toISOString() }) };
}

export const keyChoices = [{ value: "any", label: "Any key" }, { value: "none", label: "Without a key" }, { value: "all", label: "All calls" }] as const;
export const statusChoices = [
  { value: "all", label: "Any status" }, { value: "2xx", label: "2xx answered" }, { value: "3xx", label: "3xx redirected" }, { value: "4xx", label: "4xx errors" }, { value: "5xx", label: "5xx errors" }, { value: "499", label: "499 left" },
] as const;
export const spanChoices = [{ value: "hour", label: "Last hour" }, { value: "day", label: "Last day" }, { value: "week", label: "Last week" }, { value: "month", label: "All that is kept" }] as const;
