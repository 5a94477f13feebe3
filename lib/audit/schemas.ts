import { z } from "zod";

/** Wire shapes of audit events (HTTP contract, sections 4 and 8). Pure. */

const instant = z.iso.datetime({ offset: true, error: "must be an ISO 8601 instant" }).transform((value) => new Date(value));

/** From a query string. `action` is a whole name, `key.revoked`, or the start of names up to a dot, `key`. */
export const ListEventsInput = z.strictObject({
  action: z.string().regex(/^[a-z_]+(\.[a-z_]+)*$/, "must be an action such as key.revoked").max(100).optional(),
  from: instant.optional(),
  to: instant.optional(),
  limit: z.coerce.number().int().min(1, "must be at least 1").max(100, "must be at most 100").default(20),
  cursor: z.string().max(200).optional(),
});
export type ListEventsInput = z.output<typeof ListEventsInput>;

/** `seq`, `prevHash` and `hash` are null until the event is sealed, at most 2 s. */
export const AuditEventView = z.object({
  seq: z.int().nullable(), at: z.iso.datetime(), tenantId: z.string(), actor: z.object({ type: z.string(), id: z.string().nullable() }), action: z.string(),
  target: z.object({ type: z.string(), id: z.string() }).nullable(), ip: z.string().nullable(), userAgent: z.string().nullable(), requestId: z.string().nullable(),
  data: z.record(z.string(), z.unknown()), prevHash: z.string().nullable(), hash: z.string().nullable(),
});
export type AuditEventView = z.infer<typeof AuditEventView>;
