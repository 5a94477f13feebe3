import { type KeyFilter, keyFilterFrom } from "../../../keys/_components/filter";

export const path = "/admin/keys";

export type AnyKeyFilter = KeyFilter & { tenantId: string | null; cursor: string | null };

/** As it stands in the URL; what makes no sense there means "all". */
export function anyKeyFilterFrom(query: { q?: unknown; status?: unknown; tenantId?: unknown; cursor?: unknown }): AnyKeyFilter {
  return {
    ...keyFilterFrom(query),
    tenantId: typeof query.tenantId === "string" && /^[0-9a-f-]{36}$/i.test(query.tenantId) ? query.tenantId : null,
    cursor: typeof query.cursor === "string" && query.cursor.length <= 1000 ? query.cursor : null,
  };
}
