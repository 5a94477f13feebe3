import { randomUUID } from "node:crypto";
import { jobContext } from "@/lib/access";
import { seal, unseal, UnsealError } from "@/lib/platform/crypto";
import { db, isDatabaseDown, type Tx } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { SluiceError, storeUnavailable } from "@/lib/platform/errors";
import { isKeyKnown, sealingRing } from "@/lib/platform/key-rings";

/** A grant as the database has it. An empty `sealed` means that no token is left: lost, or deleted by its owner. */
export type GrantRow = NonNullable<Awaited<ReturnType<typeof findGrantRow>>>;

/** The row of a grant that its owner took back stays, so that generations only grow and no late writer can revive it. */
export const deletedReason = "deleted";

export function findGrantRow(userId: string) {
  return db().ownerGrant.findUnique({ where: { userId } }).catch((error: unknown) => {
    throw isDatabaseDown(error) ? storeUnavailable(error) : error;
  });
}

/** Held to the end of the transaction by whoever keeps a grant or takes it away, also where there is no row yet. */
export async function lockGrant(tx: Tx, userId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`grant:${userId}`}, 0))`;
  await tx.$queryRaw`SELECT 1 FROM "OwnerGrant" WHERE "userId" = ${userId}::uuid FOR UPDATE`;
}

type Owner = { userId: string; issuer: string; sub: string };

/** A key of its own per row; bound to owner and generation, so a blob moved to another row, or rolled back, does not open. */
function boundTo(owner: Owner, salt: string, generation: number) {
  return { salt, info: `sluice/grant/1|${owner.issuer}|${owner.sub}`, aad: `1|${owner.userId}|offline|${generation}|${owner.sub}` };
}

export function sealOfflineToken(owner: Owner, salt: string, generation: number, refreshToken: string): string {
  return seal(sealingRing("VAULT_KEKS"), refreshToken, boundTo(owner, salt, generation));
}

/** Whether this process' settings have the key that sealed it. Where they do not, the token is sound and stays: a setting can be mended. */
export function isReadable({ sealed }: Pick<GrantRow, "sealed">): boolean {
  return !sealed || isKeyKnown("VAULT_KEKS", sealed);
}

/** @returns null when nothing is left, or it does not open. */
export function openOfflineToken(row: GrantRow): string | null {
  if (!row.sealed) return null;
  try {
    return unseal(env().VAULT_KEKS, row.sealed, boundTo(row, row.salt, row.generation));
  } catch (error) {
    if (error instanceof UnsealError) return null;
    throw error;
  }
}

export function ownerReauthRequired(): SluiceError {
  return new SluiceError("owner_reauth_required", "The owner of this credential has to give machine access before the engines can be called in their name.", { extra: { grantUrl: `${env().AUTH_URL}/machine-access` } });
}

export function ownerDisabled(): SluiceError {
  return new SluiceError("owner_disabled", "The owner of this credential is disabled.");
}

/** What happens to a grant while nobody is there is done by us. */
export function grantsContext() {
  return jobContext("grants", randomUUID());
}
