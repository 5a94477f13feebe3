import { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import type { Chatflow } from "@/lib/generated/prisma/client";
import { advisoryLocks } from "@/lib/platform/advisory-locks";
import { now, nowDate } from "@/lib/platform/clock";
import { db, pool, Prisma, transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { logger } from "@/lib/platform/logger";
import { readJson, syncFlowise } from "@/lib/upstream";
import { syncBoundKeys } from "./bound-keys";
import { flowiseFailure } from "./flowise-failures";
import type { SyncAnswer } from "./schemas";

export const chatflowSyncJob = { name: "chatflows.sync", payload: z.object({}) };

/** One sync at a time over all replicas. */
const syncLock = advisoryLocks.chatflowSync;

const Listing = z.array(z.looseObject({ id: z.uuid() })).max(100_000);
const text = z.string().nullish();
const FlowiseFlow = z.looseObject({
  id: z.uuid(), name: z.string().min(1).max(500), flowData: z.string(), deployed: z.boolean().nullish(), isPublic: z.boolean().nullish(), apikeyid: text, chatbotConfig: text, apiConfig: text,
  analytic: text, speechToText: text, category: text, type: text, description: text, createdDate: z.iso.datetime({ offset: true }).nullish(), updatedDate: z.iso.datetime({ offset: true }).nullish(),
});

/**
 * Copies Flowise's chatflows: new ones appear unassigned, changed ones are carried over, and those that are gone from a *complete*
 * listing are kept as `deleted`, to come back with their assignments when they return. A listing that fails, or is not what it
 * should be, changes nothing.
 *
 * @throws SluiceError `insufficient_permission`, `conflict` while another sync runs, `upstream_*`
 */
export async function syncChatflows(ctx: Context): Promise<SyncAnswer> {
  requirePermission(ctx, "admin:chatflows");
  const client = await pool().connect();
  // A connection that is lost while it is ours would otherwise end the process; the next statement fails by itself.
  const lost = () => undefined;
  client.on("error", lost);
  try {
    const { rows } = await client.query<{ locked: boolean }>("SELECT pg_try_advisory_lock($1) AS locked", [syncLock]);
    if (!rows[0]?.locked) throw new SluiceError("conflict", "A sync is already running.", { retryAfterSeconds: 5 });
    try {
      return await run(ctx);
    } finally {
      await client.query("SELECT pg_advisory_unlock($1)", [syncLock]);
    }
  } finally {
    client.off("error", lost);
    client.release();
  }
}

async function run(ctx: Context): Promise<SyncAnswer> {
  const startedAt = nowDate();
  const runId = newId();
  await db().syncRun.create({ data: { id: runId, kind: "chatflows", startedAt } });
  try {
    const flows = await listAll(ctx);
    const known = new Map((await db().chatflow.findMany()).map((flow) => [flow.flowiseId, flow]));
    const counts = { created: 0, updated: 0, deleted: 0 };
    const error_details: SyncAnswer["error_details"] = [];
    for (const raw of flows) {
      try {
        const what = await carryOver(ctx, raw, known.get(raw.id.toLowerCase()), startedAt);
        if (what) counts[what] += 1;
      } catch (error) {
        error_details.push({ chatflow_id: raw.id, error: isSluiceError(error) ? error.detail : error instanceof z.ZodError ? `not as expected: ${error.issues.map((i) => i.path.join(".")).join(", ")}` : "could not be stored" });
        logger.warn({ err: error, flowiseId: raw.id, requestId: ctx.requestId }, "a chatflow could not be carried over");
        await db().chatflow.updateMany({ where: { flowiseId: raw.id.toLowerCase() }, data: { syncStatus: "error", syncError: error_details.at(-1)?.error } });
      }
    }
    counts.deleted = await markGone(flows.map((flow) => flow.id), startedAt);
    if (env().FLOWISE_AUTH === "service-key") error_details.push(...await carryOverKeys(ctx));
    const answer: SyncAnswer = { total_fetched: flows.length, ...counts, errors: error_details.length, error_details, sync_timestamp: startedAt.toISOString(), duration_ms: now() - startedAt.getTime() };
    await transaction(async (tx) => {
      await tx.syncRun.update({ where: { id: runId }, data: { finishedAt: nowDate(), succeeded: true, statistics: answer } });
      // An hourly run that found nothing new is no event.
      if (ctx.actor.type !== "job" || counts.created + counts.updated + counts.deleted > 0) await recordAudit(tx, ctx, { action: "chatflows.synced", data: { ...counts, errors: answer.errors } });
    });
    return answer;
  } catch (error) {
    await db().syncRun.update({ where: { id: runId }, data: { finishedAt: nowDate(), succeeded: false, error: isSluiceError(error) ? error.detail : "failed" } }).catch(() => undefined);
    throw error;
  }
}

/** Without its key a bound chatflow is there but cannot be run, which is worth telling and no reason to stop. */
async function carryOverKeys(ctx: Context): Promise<SyncAnswer["error_details"]> {
  let missing: string[] | null = null;
  try {
    missing = await syncBoundKeys(ctx);
  } catch (error) {
    logger.warn({ err: error, requestId: ctx.requestId }, "the keys of bound chatflows could not be read");
  }
  const bound = await db().chatflow.findMany({ where: { syncStatus: { not: "deleted" }, ...(missing ? { apiKeyId: { in: missing } } : { apiKeyId: { not: null } }) }, select: { flowiseId: true } });
  const error = missing ? "is bound to a key that Flowise does not have" : "its key could not be read: FLOWISE_API_KEY needs the permission apikeys:view";
  return bound.map(({ flowiseId }) => ({ chatflow_id: flowiseId, error }));
}

/** The bare listing: pages may shift while flows change, and a shifted page would look like a deletion. */
async function listAll(ctx: Context): Promise<z.infer<typeof Listing>> {
  const answer = await syncFlowise(ctx, "/api/v1/chatflows");
  if (answer.status !== 200) throw await flowiseFailure(answer);
  const parsed = Listing.safeParse(await readJson(answer, 256 * 1024 * 1024));
  if (!parsed.success) throw new SluiceError("upstream_error", "Flowise's listing is not what its contract says.", { cause: parsed.error });
  return parsed.data;
}

async function carryOver(ctx: Context, raw: unknown, known: Chatflow | undefined, at: Date): Promise<"created" | "updated" | null> {
  const flow = FlowiseFlow.parse(raw);
  const fields = {
    name: flow.name, description: flow.description ?? null, deployed: flow.deployed ?? false, isPublic: flow.isPublic ?? false, category: flow.category || null, type: flow.type ?? null,
    apiKeyId: flow.apikeyid || null, flowData: flow.flowData, canStream: await askStreaming(ctx, flow.id),
    createdDate: flow.createdDate ? new Date(flow.createdDate) : null, updatedDate: flow.updatedDate ? new Date(flow.updatedDate) : null,
  };
  const configs = { chatbotConfig: config(flow.chatbotConfig), apiConfig: config(flow.apiConfig), analyticConfig: config(flow.analytic), speechToTextConfig: config(flow.speechToText) };
  const state = { syncedAt: at, syncStatus: "active", syncError: null } as const;
  if (!known) {
    await db().chatflow.create({ data: { id: newId(), flowiseId: flow.id.toLowerCase(), ...fields, ...configs, ...state } });
    return "created";
  }
  // Flowise's dates have whole seconds, so contents are compared and not they.
  const isChanged = known.syncStatus !== "active" || differs(fields, known) || differs(configs, known);
  await db().chatflow.update({ where: { id: known.id }, data: isChanged ? { ...fields, ...configs, ...state } : state });
  return isChanged ? "updated" : null;
}

function config(value: string | null | undefined) {
  return value ? (JSON.parse(value) as Prisma.InputJsonValue) : Prisma.DbNull;
}

function differs(fields: Record<string, unknown>, known: Chatflow): boolean {
  const plain = (value: unknown) => (value === Prisma.DbNull || value === undefined ? "null" : JSON.stringify(sorted(value)));
  return Object.entries(fields).some(([name, value]) => plain(value) !== plain(known[name as keyof Chatflow]));
}

/** PostgreSQL keeps JSON with its own order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}

async function askStreaming(ctx: Context, id: string): Promise<boolean> {
  const answer = await syncFlowise(ctx, "/api/v1/chatflows-streaming/:id", { id });
  if (answer.status === 500) {
    // Drafts without an ending node answer this: they cannot be streamed, nor run.
    answer.body.resume();
    return false;
  }
  if (answer.status !== 200) throw await flowiseFailure(answer);
  const parsed = z.object({ isStreaming: z.boolean().optional() }).safeParse(await readJson(answer, 10_000));
  return parsed.success && parsed.data.isStreaming === true;
}

async function markGone(present: string[], at: Date): Promise<number> {
  // One array: the ids of a large Flowise are more than a statement may have parameters.
  return db().$executeRaw`UPDATE "Chatflow" SET "syncStatus" = 'deleted', "syncedAt" = ${at}, "syncError" = NULL, "updatedAt" = ${at} WHERE "syncStatus" <> 'deleted' AND "flowiseId" <> ALL(${present}::uuid[])`;
}
