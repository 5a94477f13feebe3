import { queryOptions } from "@tanstack/react-query";
import type { RotationView } from "@/lib/keys/schemas";

/** Who still calls with the secret that was rotated away; null while none works. Asked again while one does. */
export function rotationQuery(apiKeyId: string) {
  return queryOptions({
    queryKey: ["api-keys", "rotation", apiKeyId] as const,
    queryFn: async ({ signal }): Promise<RotationView | null> => {
      const answer = await fetch(`/api/v1/auth/api-keys/${apiKeyId}/rotation`, { signal, headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(((await answer.json().catch(() => null)) as { detail?: string } | null)?.detail ?? "The rotation could not be read.");
      return ((await answer.json()) as { data: RotationView | null }).data;
    },
    refetchInterval: (query) => (query.state.data ? 10_000 : false),
  });
}
