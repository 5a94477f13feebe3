import { type Context, permissionMask } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { limitFailures } from "@/lib/keys";
import { equalSecrets } from "@/lib/platform/crypto";
import { transaction } from "@/lib/platform/db";
import { adminTokenMin, env } from "@/lib/platform/env";
import type { Caller } from "./identify";

/** It makes tenants; the first key of one is a right of its own, asked where keys are made. */
const held = permissionMask(["admin:tenants"]);

/**
 * Whether this bearer is the operator's `ADMIN_TOKEN`; each use is written down before anything is done with it. Compared by
 * hash, so that the time says nothing; an address with too many failures behind it is not even compared.
 *
 * @param use what was asked for, as the audit event shows it
 * @returns null for any other credential, and while the door is closed
 * @throws SluiceError `rate_limited`
 */
export async function byAdminToken(presented: string, caller: Caller, use: { method: string; path: string }): Promise<Context | null> {
  const token = env().ADMIN_TOKEN;
  if (!token || token.length < adminTokenMin) return null;
  await limitFailures(caller.ip);
  if (!equalSecrets(presented, token)) return null;
  const ctx: Context = { ...caller, tenantId: "system", actor: { type: "bootstrap" }, permissions: held };
  await transaction((tx) => recordAudit(tx, ctx, { action: "bootstrap.used", data: use }));
  return ctx;
}
