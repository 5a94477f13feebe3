import { z } from "@hono/zod-openapi";

/** The envelope of contract section 2, around what it carries. */
export function envelope<S extends z.ZodType>(data: S) {
  return z.object({ status: z.literal("success"), data, message: z.string().optional() });
}

export function listEnvelope<S extends z.ZodType>(item: S) {
  return z.object({ status: z.literal("success"), data: z.array(item), page: z.object({ nextCursor: z.string().nullable(), limit: z.int(), total: z.int().optional() }) });
}
