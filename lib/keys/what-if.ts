import { type Context, permissionsOf, requirePermission } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { isSluiceError } from "@/lib/platform/errors";
import { checkCall } from "./check-call";
import { anyKeys, keyIn, type KeyScope, ownKeys, readKey } from "./get-key";
import type { WhatIfAnswer, WhatIfInput, WhatIfStep } from "./schemas";

/** The steps of a check in their order (HTTP contract, section 3), by the names that decisions give them. */
const order = ["revoked", "expired", "disabled", "owner", "role", "address", "permission", "rate_limit"];

/**
 * Whether a call with this key would be admitted, and what each step of the check said: the real check, of which nothing is taken or
 * counted. Of one of the caller's own keys.
 *
 * @throws SluiceError `not_found`; `store_unavailable`, which is no answer about the key
 */
export async function whatIf(ctx: Context, input: WhatIfInput): Promise<WhatIfAnswer> {
  requirePermission(ctx, "api-keys:read");
  return suppose(ctx, ownKeys(ctx), input);
}

/** The same for anybody's key, in administration. @throws SluiceError `insufficient_permission`, and as `whatIf` */
export async function whatIfAny(ctx: Context, input: WhatIfInput): Promise<WhatIfAnswer> {
  return suppose(ctx, anyKeys(ctx), input);
}

async function suppose(ctx: Context, scope: KeyScope, { apiKeyId, at, ip, permission }: WhatIfInput): Promise<WhatIfAnswer> {
  const key = await readKey(keyIn(scope, apiKeyId));
  const moment = at?.getTime() ?? now();
  const verdict = await checkCall({ kind: "key", apiKeyId: key.id }, { cost: 0, ip: ip ?? "any", requestId: ctx.requestId, ...(at && { at: moment }), ...(permission && { permission }) });
  if (!verdict.ok && isSluiceError(verdict.error, "store_unavailable")) throw verdict.error;
  const spoke = verdict.ok ? null : (verdict.error.options.decision ?? { check: verdict.error.code, seen: null, limit: null });
  const unasked = new Set([...(ip === undefined ? ["address"] : []), ...(permission ? [] : ["permission"])]);
  const stop = spoke ? order.indexOf(spoke.check) : order.length;
  const steps = order.map((check, i): WhatIfStep => (i === stop && spoke ? { ...spoke, passed: false } : { check, passed: i < stop && !unasked.has(check) ? true : null, seen: null, limit: null }));
  return {
    admitted: verdict.ok, at: new Date(moment).toISOString(), permission: permission ?? null,
    ...(verdict.ok ? { permissions: permissionsOf(verdict.permissions) } : { code: verdict.error.code, detail: verdict.error.detail }),
    // A check that has no place in the order speaks for itself.
    steps: stop === -1 && spoke ? [...steps, { ...spoke, passed: false }] : steps,
  };
}
