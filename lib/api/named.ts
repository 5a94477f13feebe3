import { z } from "@hono/zod-openapi";

/**
 * Gives a schema its name in the OpenAPI document. Features declare theirs with plain zod, maybe before the extension that adds
 * `.openapi` was loaded; borrowed from the prototype it works on those too.
 */
export function named<S extends z.ZodType>(schema: S, name: string): S {
  return (z.ZodType.prototype.openapi as unknown as (this: S, name: string) => S).call(schema, name);
}
