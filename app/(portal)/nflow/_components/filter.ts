export const pageSize = 20;

/** Search and page as they stand in the URL; what makes no sense there means the start. */
export function appFilterFrom(query: { q?: unknown; page?: unknown }): { q: string; page: number } {
  const page = typeof query.page === "string" && /^[1-9]\d{0,4}$/.test(query.page) ? Number(query.page) : 1;
  return { q: typeof query.q === "string" ? query.q.trim().slice(0, 100) : "", page };
}

export function appsPath({ q, page }: { q: string; page: number }): string {
  const params = new URLSearchParams();
  if (q) params.set("q", q);
  if (page > 1) params.set("page", String(page));
  const query = params.toString();
  return query ? `/nflow?${query}` : "/nflow";
}
