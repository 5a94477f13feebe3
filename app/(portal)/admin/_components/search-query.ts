/** Search and place in a list as they stand in the URL; what makes no sense there means the start. */
export function listQueryFrom(query: { q?: unknown; cursor?: unknown }): { q: string; cursor: string | null } {
  return { q: typeof query.q === "string" ? query.q.trim().slice(0, 100) : "", cursor: typeof query.cursor === "string" && query.cursor.length <= 500 ? query.cursor : null };
}

/** Parameters at rest are left out. */
export function pathOf(path: string, params: Record<string, string | null | undefined>): string {
  const given = Object.entries(params).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}
