import { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { db, Prisma } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { notFound } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { pageOf, readCursor } from "@/lib/platform/cursor";
import { type ListPeopleInput, type PeopleSort, peopleSorts, type PersonRow } from "./schemas";

type Row = {
  id: string; sub: string; username: string; name: string | null; email: string | null; role: PersonRow["role"]; tenant: string; credits: number;
  isActive: boolean; keptOutAt: Date | null; keycloakState: PersonRow["keycloak_state"]; createdAt: Date; updatedAt: Date; lastSeenAt: Date | null; sortedBy: Date | string | null;
};

/** How the list was sorted, what its last row was sorted by (null: never here), and that row's id. */
const Cursor = z.tuple([z.enum(peopleSorts), z.enum(["asc", "desc"]), z.string().max(300).nullable(), z.uuid()]);

/** Whom our own realm knows. Who has no account yet has what it would start with. */
const people = Prisma.sql`"User" u JOIN "Tenant" t ON t.id = u."tenantId" JOIN "Plan" p ON p.id = t."planId"
  LEFT JOIN "CreditAccount" a ON a.kind = t."creditMode"::text::"AccountKind" AND a."ownerId" = CASE t."creditMode" WHEN 'tenant' THEN t.id ELSE u.id END`;
const columns = Prisma.sql`u.id, u.sub, u.username, u.name, u.email, u.role, t.slug AS tenant, COALESCE(a.available, p."monthlyCredits") AS credits, u."isActive", u."keptOutAt", u."keycloakState", u."createdAt", u."updatedAt", u."lastSeenAt"`;

/** In administration: people of every tenant, by username unless told otherwise; all of them where no `limit` is given. */
export async function listPeople(ctx: Context, input: ListPeopleInput): Promise<{ people: PersonRow[]; nextCursor: string | null }> {
  requirePermission(ctx, "admin:users");
  const { sort, limit } = input;
  const order = input.order ?? (sort === "username" ? "asc" : "desc");
  const rows = await db().$queryRaw<Row[]>`
    SELECT ${columns}, ${sortedBy[sort]} AS "sortedBy" FROM ${people}
    WHERE u.issuer = ${env().KEYCLOAK_ISSUER} AND ${matches(input)} AND ${after(input.cursor, sort, order)}
    ORDER BY ${sortedBy[sort]} ${order === "asc" ? Prisma.sql`ASC NULLS FIRST` : Prisma.sql`DESC NULLS LAST`}, u.id ${order === "asc" ? Prisma.sql`ASC` : Prisma.sql`DESC`}
    ${limit === undefined ? Prisma.empty : Prisma.sql`LIMIT ${limit + 1}`}`;
  const { page, nextCursor } = pageOf(rows, limit ?? rows.length, (row) => [sort, order, row.sortedBy instanceof Date ? row.sortedBy.toISOString() : row.sortedBy, row.id]);
  return { people: page.map(viewOf), nextCursor };
}

/** One of them, for a verb that has asked for its permission. @throws SluiceError `not_found` */
export async function readPersonRow(userId: string): Promise<PersonRow> {
  const [row] = isUuid(userId) ? await db().$queryRaw<Row[]>`SELECT ${columns} FROM ${people} WHERE u.issuer = ${env().KEYCLOAK_ISSUER} AND u.id = ${userId}::uuid` : [];
  if (!row) throw notFound("No such person.");
  return viewOf(row);
}

const sortedBy: Record<PeopleSort, Prisma.Sql> = { username: Prisma.sql`lower(u.username)`, last_seen_at: Prisma.sql`u."lastSeenAt"`, created_at: Prisma.sql`u."createdAt"` };

function matches({ q, role, is_active: isActive, tenant }: ListPeopleInput): Prisma.Sql {
  const conditions = [Prisma.sql`TRUE`];
  if (q) {
    // LIKE's wildcards are letters here.
    const part = `%${q.replace(/[\\%_]/g, "\\$&")}%`;
    conditions.push(Prisma.sql`(u.username ILIKE ${part} OR u.email ILIKE ${part} OR u.name ILIKE ${part} OR u.sub = ${q} OR u.id::text = ${q.toLowerCase()})`);
  }
  if (role) conditions.push(role === "none" ? Prisma.sql`u.role IS NULL` : Prisma.sql`u.role = ${role}::"Role"`);
  if (isActive !== undefined) conditions.push(Prisma.sql`u."isActive" = ${isActive}`);
  if (tenant) conditions.push(Prisma.sql`(t.slug = ${tenant} OR t.id::text = ${tenant.toLowerCase()})`);
  return Prisma.join(conditions, " AND ");
}

/** Nobody is met twice or left out because others came or went meanwhile. "Never here" lies before all instants. */
function after(cursor: string | undefined, sort: PeopleSort, order: "asc" | "desc"): Prisma.Sql {
  if (!cursor) return Prisma.sql`TRUE`;
  const [, , value, id] = readCursor(Cursor.refine(([s, o, v]) => s === sort && o === order && (s === "username" ? v !== null : v === null || z.iso.datetime().safeParse(v).success)), cursor);
  const never = sort === "username" ? Prisma.sql`''` : Prisma.sql`'-infinity'::timestamptz`;
  const from = sort === "username" ? Prisma.sql`${value}::text` : Prisma.sql`COALESCE(${value}::timestamptz, '-infinity')`;
  const place = Prisma.sql`(COALESCE(${sortedBy[sort]}, ${never}), u.id)`;
  return order === "asc" ? Prisma.sql`${place} > (${from}, ${id}::uuid)` : Prisma.sql`${place} < (${from}, ${id}::uuid)`;
}

function viewOf(row: Row): PersonRow {
  return {
    id: row.id, memberId: row.sub, username: row.username, name: row.name, email: row.email, role: row.role, tenant: row.tenant, credits: row.credits,
    is_active: row.isActive, kept_out: row.keptOutAt !== null, keycloak_state: row.keycloakState,
    created_at: row.createdAt.toISOString(), updated_at: row.updatedAt.toISOString(), last_seen_at: row.lastSeenAt?.toISOString() ?? null,
  };
}
