import type { Context } from "@/lib/access";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { callUpstream, type UpstreamAnswer } from "./call-upstream";

/** Calls Flowise where no person acts, with the operator's key: the sync. What asks for it has been permitted before. */
export async function syncFlowise(ctx: Context, template: "/api/v1/chatflows" | "/api/v1/chatflows-streaming/:id" | "/api/v1/apikey", names?: Record<string, string>): Promise<UpstreamAnswer> {
  if (!env().FLOWISE_API_KEY) throw new SluiceError("upstream_unauthorised", "No FLOWISE_API_KEY is set, so Flowise cannot be read.");
  const asJob: Context = { ...ctx, actor: { type: "job", name: "chatflows.sync" } };
  return callUpstream(asJob, { engine: "flowise", method: "GET", template, names });
}
