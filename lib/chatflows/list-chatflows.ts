import { z } from "zod";
import { type Context, mayUseChatflow, requirePermission, requirePerson } from "@/lib/access";
import type { Chatflow } from "@/lib/generated/prisma/client";
import { pageOf, readCursor } from "@/lib/platform/cursor";
import { db, pool, type Prisma } from "@/lib/platform/db";
import { notFound } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import type { ChatflowView, ListMyChatflowsInput } from "./schemas";

/** The last row of the page before: its name, and Flowise's id. */
const Cursor = z.tuple([z.string().max(500), z.uuid()]);

/** The chatflows assigned to the caller, by name; all of them where no `limit` is given. Nothing is assigned by default. @throws SluiceError `validation_failed` for a cursor that is not ours */
export async function listMyChatflows(ctx: Context, { limit, cursor }: ListMyChatflowsInput = {}): Promise<{ chatflows: ChatflowView[]; nextCursor: string | null }> {
  requirePermission(ctx, "chatflows:read");
  const { userId, tenantId } = requirePerson(ctx);
  const allowed = ctx.chatflowIds ? { flowiseId: { in: [...ctx.chatflowIds] } } : {};
  const rows = await db().chatflowAssignment.findMany({
    where: { userId, tenantId, isActive: true, chatflow: { syncStatus: { not: "deleted" }, ...allowed, ...after(cursor) } }, include: { chatflow: true },
    orderBy: [{ chatflow: { name: "asc" } }, { chatflow: { flowiseId: "asc" } }], ...(limit !== undefined && { take: limit + 1 }),
  });
  const { page, nextCursor } = pageOf(rows, limit ?? rows.length, ({ chatflow }) => [chatflow.name, chatflow.flowiseId]);
  return { chatflows: page.map(({ chatflow, assignedAt }) => viewOf(chatflow, assignedAt)), nextCursor };
}

function after(cursor: string | undefined): Prisma.ChatflowWhereInput {
  if (!cursor) return {};
  const [name, id] = readCursor(Cursor, cursor);
  return { OR: [{ name: { gt: name } }, { name, flowiseId: { gt: id } }] };
}

/** @throws SluiceError `not_found` when it is not assigned to the caller, whether it exists or not. */
export async function getMyChatflow(ctx: Context, flowiseId: string): Promise<ChatflowView> {
  requirePermission(ctx, "chatflows:read");
  const { userId, tenantId } = requirePerson(ctx);
  const found = isUuid(flowiseId) && mayUseChatflow(ctx, flowiseId) ? await db().chatflowAssignment.findFirst({ where: { userId, tenantId, isActive: true, chatflow: { flowiseId: flowiseId.toLowerCase(), syncStatus: { not: "deleted" } } }, include: { chatflow: true } }) : null;
  if (!found) throw notAssigned();
  return viewOf(found.chatflow, found.assignedAt);
}

/** What a run needs to know of a chatflow; its data, often the largest part of a row, stays where it is. */
export type RunnableChatflow = Pick<Chatflow, "id" | "flowiseId" | "type" | "apiKeyId" | "canStream" | "costCredits" | "allowOverride">;

const assigned = `SELECT c.id, c."flowiseId", c.type, c."apiKeyId", c."canStream", c."costCredits", c."allowOverride" FROM "Chatflow" c
  JOIN "ChatflowAssignment" a ON a."chatflowId" = c.id AND a."userId" = $1 AND a."tenantId" = $2 AND a."isActive" WHERE c."flowiseId" = $3 AND c."syncStatus" <> 'deleted'`;

/** The chatflow, if it is assigned to the caller and still there. Raw `pg`: asked before every run, where Prisma costs several times the CPU. */
export async function requireAssigned(ctx: Context, flowiseId: string): Promise<RunnableChatflow> {
  const { userId, tenantId } = requirePerson(ctx);
  const { rows } = isUuid(flowiseId) && mayUseChatflow(ctx, flowiseId) ? await pool().query<RunnableChatflow>({ name: "assigned-chatflow", text: assigned, values: [userId, tenantId, flowiseId.toLowerCase()] }) : { rows: [] };
  if (!rows[0]) throw notAssigned();
  return rows[0];
}

const notAssigned = () => notFound("No such chatflow is assigned to you.");

/** Whether Flowise can stream it, by our own copy; false for what does not exist. Asked without a credential, as Flowise's SDK does. */
export async function canStream(flowiseId: string): Promise<boolean> {
  if (!isUuid(flowiseId)) return false;
  const flow = await db().chatflow.findUnique({ where: { flowiseId: flowiseId.toLowerCase() }, select: { canStream: true, syncStatus: true } });
  return flow !== null && flow.syncStatus !== "deleted" && flow.canStream;
}

function viewOf(flow: Chatflow, assignedAt: Date): ChatflowView {
  return {
    id: flow.flowiseId, name: flow.name, description: flow.description, category: flow.category, type: flow.type, deployed: flow.deployed, is_public: flow.isPublic, isPublic: flow.isPublic,
    createdDate: flow.createdDate?.toISOString() ?? null, updatedDate: flow.updatedDate?.toISOString() ?? null, assigned_at: assignedAt.toISOString(),
  };
}
