import type { Granularity } from "@/lib/usage/schemas";

/** The page with these choices, which its URL keeps. Choices at rest are left out; `key` is null for all calls. */
export function usagePage({ key, span, includePortal }: { key: string | null; span: Granularity; includePortal: boolean }): string {
  const params = new URLSearchParams({ ...(key && { key }), ...(span !== "hour" && { span }), ...(includePortal && { portal: "true" }) });
  return params.size ? `/usage?${params}` : "/usage";
}
