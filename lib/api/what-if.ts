import { type Context, hasPermission } from "@/lib/access";
import { whatIf, whatIfAny } from "@/lib/keys";
import type { WhatIfAnswer, WhatIfInput } from "@/lib/keys/schemas";
import { createApi } from "./app";
import { supposeCall } from "./suppose-call";

let routesAreKnown = false;

/**
 * For pages, where an administrator looks at other people's refusals too. In a process that only shows those, nobody has declared the
 * routes that a path is looked up in.
 */
export function whatIfCall(ctx: Context, input: WhatIfInput): Promise<WhatIfAnswer> {
  if (!routesAreKnown) createApi();
  routesAreKnown = true;
  return supposeCall(ctx, input, hasPermission(ctx, "admin:keys") ? whatIfAny : whatIf);
}
