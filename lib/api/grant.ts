import { z } from "@hono/zod-openapi";
import { type ApiApp, route, success } from "@/lib/entry/api";
import { deleteGrant, getGrant } from "@/lib/grants";
import { SluiceError } from "@/lib/platform/errors";
import { envelope } from "./envelope";

const Grant = z.object({ status: z.enum(["missing", "active", "needs_reauth", "owner_disabled"]), givenAt: z.string().nullable(), lastUsedAt: z.string().nullable(), idleUntil: z.string().nullable(), actsUntil: z.string().nullable() }).openapi("Grant");

/** Machine access: whether the engines can be called in the person's name while they are away. */
export function grantRoutes(app: ApiApp): void {
  route(app, { method: "get", path: "/api/v1/grant", tag: "Machine access", summary: "The state of one's machine access", answers: [{ status: 200, description: "The grant.", schema: envelope(Grant) }] },
    async (ctx, _input, c) => success(c, await getGrant(ctx)));

  route(app, { method: "delete", path: "/api/v1/grant", fresh: true, tag: "Machine access", summary: "Take machine access back (browser session only)", answers: [{ status: 200, description: "Gone here and at Keycloak.", schema: envelope(Grant) }] },
    async (ctx, _input, c) => {
      if (ctx.actor.type !== "user" || ctx.actor.credential.kind !== "session") throw new SluiceError("insufficient_permission", "Machine access is given and taken back in the browser.");
      return success(c, await deleteGrant(ctx));
    });
}
