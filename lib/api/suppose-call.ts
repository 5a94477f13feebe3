import type { Context } from "@/lib/access";
import { neededFor } from "@/lib/entry/api";
import { whatIf } from "@/lib/keys";
import type { WhatIfAnswer, WhatIfInput } from "@/lib/keys/schemas";
import { invalid } from "@/lib/platform/errors";

/**
 * `whatIf`, with a path of the API turned into the permission that its route asks for.
 * @param ask of one's own keys, unless told otherwise
 * @throws SluiceError `validation_failed` for a path that is none of ours
 */
export async function supposeCall(ctx: Context, { method, path, ...input }: WhatIfInput, ask = whatIf): Promise<WhatIfAnswer> {
  if (!method || !path) return ask(ctx, input);
  const route = neededFor(method, path);
  if (!route) throw invalid([{ pointer: "/path", detail: `nothing answers ${method} there` }]);
  return ask(ctx, { ...input, ...(route.permission && { permission: route.permission }) });
}
