import { z } from "@hono/zod-openapi";
import { type ApiApp, route, success } from "@/lib/entry/api";
import { createAnyKey, getAnyKey, importKeys, listAnyKeys, revokeAnyKey, updateAnyKey } from "@/lib/keys";
import { AnyKeyView, ApiKeyView, CreateAnyKeyInput, CreatedAnyKeyView, ImportKeysInput, ImportResult, ListAnyKeysInput, RevokeKeyInput, UpdateKeyInput } from "@/lib/keys/schemas";
import { getAnyKeyUsage } from "@/lib/usage";
import { KeyUsageView, UsageInput } from "@/lib/usage/schemas";
import { envelope, listEnvelope } from "./envelope";
import { named } from "./named";

const tag = "Everybody's API keys";
const permission = "admin:keys" as const;
const Key = named(ApiKeyView, "ApiKey");
const AnyKey = named(AnyKeyView, "AnyApiKey");
const KeyId = z.object({ id: z.string().max(100) });

/** Keys of any tenant (contract section 8). The same under `/api/admin` and `/api/v1/admin`. */
export function adminKeyRoutes(app: ApiApp): void {
  for (const base of ["/api/admin/api-keys", "/api/v1/admin/api-keys"]) {
    route(app, { method: "post", path: base, tag, summary: "Create a key for somebody; with the operator's token, the first of a tenant", permission, bootstrap: true, creates: true, body: CreateAnyKeyInput, answers: [{ status: 201, description: "The key, its secret, and whether its owner has given machine access.", schema: envelope(named(CreatedAnyKeyView, "CreatedAnyApiKey")) }] },
      async (ctx, { body }, c) => {
        const { key, secret, grant, message } = await createAnyKey(ctx, body);
        const waiting = grant === "missing" ? "Calls to the engines wait until its owner has given machine access in the portal." : undefined;
        return success(c, { ...key, key: secret, grant }, { status: 201, message: ["Keep this key: it will not be shown again.", waiting, message].filter(Boolean).join(" ") });
      });

    route(app, { method: "post", path: `${base}/import`, tag, summary: "Take over keys of an earlier system by their SHA-256", permission, creates: true, body: ImportKeysInput, answers: [{ status: 200, description: "A result per key, in their order.", schema: envelope(z.array(named(ImportResult, "ImportResult"))) }] },
      async (ctx, { body }, c) => {
        const results = await importKeys(ctx, body);
        const count = (status: ImportResult["status"]) => results.filter((result) => result.status === status).length;
        return success(c, results, { message: `${count("imported")} ${body.dryRun ? "would be imported" : "imported"}, ${count("exists")} known already, ${count("error")} failed.` });
      });

    route(app, { method: "get", path: base, tag, summary: "List everybody's keys, newest first", permission, bootstrap: true, query: ListAnyKeysInput, answers: [{ status: 200, description: "A page of keys.", schema: listEnvelope(AnyKey) }] },
      async (ctx, { query }, c) => {
        const { keys, nextCursor } = await listAnyKeys(ctx, query);
        return success(c, keys, { page: { nextCursor, limit: query.limit } });
      });

    route(app, { method: "get", path: `${base}/:id`, tag, summary: "Anybody's key", permission, params: KeyId, answers: [{ status: 200, description: "The key, with whose it is.", schema: envelope(AnyKey) }] },
      async (ctx, { params }, c) => success(c, await getAnyKey(ctx, params.id)));

    route(app, { method: "get", path: `${base}/:id/usage`, tag, summary: "What anybody's key has done, by the hour or the day", permission, params: KeyId, query: UsageInput, answers: [{ status: 200, description: "Totals and series.", schema: envelope(named(KeyUsageView, "KeyUsage")) }] },
      async (ctx, { params, query }, c) => success(c, await getAnyKeyUsage(ctx, params.id, query)));

    route(app, { method: "patch", path: `${base}/:id`, tag, summary: "Change, disable or enable anybody's key", permission, params: KeyId, body: UpdateKeyInput, answers: [{ status: 200, description: "The changed key.", schema: envelope(Key) }] },
      async (ctx, { params, body }, c) => {
        const { key, message } = await updateAnyKey(ctx, params.id, body);
        return success(c, key, { message });
      });

    route(app, { method: "delete", path: `${base}/:id`, tag, summary: "Revoke anybody's key, on every replica before this answers", permission, params: KeyId, query: RevokeKeyInput, answers: [{ status: 200, description: "The revoked key.", schema: envelope(Key) }] },
      async (ctx, { params, query }, c) => success(c, (await revokeAnyKey(ctx, params.id, { cascade: query.cascade ?? false })).key));
  }
}
