import { ListPeopleInput, type PeopleSort, roleFilters } from "@/lib/people/schemas";

export const path = "/admin/people";

/** The list's filter as it stands in the URL, in words that it takes there; empty means "all". */
export type PeopleFilter = { q: string; role: string; is_active: string; tenant: string; sort: PeopleSort; order: "asc" | "desc" | "" };

export const roleChoices = [{ value: "all", label: "Every role" }, ...roleFilters.map((role) => ({ value: role, label: role === "none" ? "no role" : role }))];
export const stateChoices = [{ value: "all", label: "In or out" }, { value: "true", label: "May sign in" }, { value: "false", label: "Shut out" }];

/** What makes no sense in the URL means "all", or the start of the list. */
export function peopleFilterFrom(query: Record<string, unknown>): { filter: PeopleFilter; cursor: string | null; input: ListPeopleInput } {
  const one = (name: string) => (typeof query[name] === "string" && query[name] !== "" ? { [name]: query[name] } : {});
  const fits = (name: keyof typeof ListPeopleInput.shape) => (ListPeopleInput.shape[name].safeParse(query[name]).success ? one(name) : {});
  const given: Record<string, unknown> = { ...fits("q"), ...fits("role"), ...fits("is_active"), ...fits("tenant"), ...fits("sort"), ...fits("order"), ...fits("cursor") };
  const text = (name: string) => (typeof given[name] === "string" ? given[name] : "");
  const input = ListPeopleInput.parse({ ...given, limit: 50 });
  return { filter: { q: text("q").trim(), role: text("role"), is_active: text("is_active"), tenant: text("tenant"), sort: input.sort, order: input.order ?? "" }, cursor: input.cursor ?? null, input };
}

/** As the URL has it: what is at rest is left out. */
export function paramsOf({ sort, ...rest }: PeopleFilter): Record<string, string> {
  return { ...rest, sort: sort === "username" && !rest.order ? "" : sort };
}
