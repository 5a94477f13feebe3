import { z } from "zod";
import type { Context } from "@/lib/access";
import type { Chatflow } from "@/lib/generated/prisma/client";
import { nowDate } from "@/lib/platform/clock";
import { randomToken, seal, unseal } from "@/lib/platform/crypto";
import { db, transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { sealingRing } from "@/lib/platform/key-rings";
import { readJson, syncFlowise } from "@/lib/upstream";
import { flowiseFailure } from "./flowise-failures";

/** Flowise answers with the text of every key to whoever may view keys. */
const Keys = z.array(z.looseObject({ id: z.string().min(1).max(64), apiKey: z.string().min(8).max(500) })).max(100_000);

const boundTo = (id: string, salt: string) => ({ salt, info: `sluice/flowise-key/1|${id}`, aad: `1|${id}|flowise-key` });

/**
 * Copies the keys that chatflows are bound to, and no others; copies of keys that bind nothing any more go.
 *
 * @returns ids of binding keys that Flowise does not know: a flow that is bound to a deleted key refuses everybody.
 * @throws SluiceError `upstream_*`, for instance when the operator's key may not view keys. Nothing is changed then.
 */
export async function syncBoundKeys(ctx: Context): Promise<string[]> {
  const flows = await db().chatflow.findMany({ where: { apiKeyId: { not: null }, syncStatus: { not: "deleted" } }, select: { apiKeyId: true }, distinct: ["apiKeyId"] });
  const wanted = new Set(flows.map(({ apiKeyId }) => apiKeyId ?? ""));
  const found = wanted.size > 0 ? (await readKeys(ctx)).filter(({ id }) => wanted.has(id)) : [];
  const syncedAt = nowDate();
  await transaction(async (tx) => {
    await tx.flowiseKey.deleteMany({ where: { id: { notIn: found.map(({ id }) => id) } } });
    for (const { id, apiKey } of found) {
      const salt = randomToken();
      const copy = { salt, sealed: seal(sealingRing("VAULT_KEKS"), apiKey, boundTo(id, salt)), syncedAt };
      await tx.flowiseKey.upsert({ where: { id }, create: { id, ...copy }, update: copy });
    }
  });
  return [...wanted].filter((id) => !found.some((key) => key.id === id));
}

async function readKeys(ctx: Context): Promise<z.infer<typeof Keys>> {
  const answer = await syncFlowise(ctx, "/api/v1/apikey");
  if (answer.status !== 200) throw await flowiseFailure(answer);
  return Keys.parse(await readJson(answer, 64 * 1024 * 1024));
}

/** The key that this chatflow is bound to, where keys are what Flowise is shown; undefined when it is not bound, or its key is not known. */
export async function boundKeyOf(flow: Pick<Chatflow, "apiKeyId">): Promise<string | undefined> {
  if (!flow.apiKeyId || env().FLOWISE_AUTH !== "service-key") return undefined;
  const row = await db().flowiseKey.findUnique({ where: { id: flow.apiKeyId } });
  return row ? unseal(sealingRing("VAULT_KEKS"), row.sealed, boundTo(row.id, row.salt)) : undefined;
}
