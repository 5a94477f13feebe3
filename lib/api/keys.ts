import { z } from "@hono/zod-openapi";
import { permissionsOf, requirePerson } from "@/lib/access";
import { type ApiApp, route, success } from "@/lib/entry/api";
import { createKey, endRotation, getKey, getRotation, listKeys, revokeKey, rotateKey, updateKey, verifyKey } from "@/lib/keys";
import { ApiKeyView, CreatedKeyView, CreateKeyInput, ListKeysInput, RevokeKeyInput, RotateKeyInput, RotationCaller, RotationView, UpdateKeyInput, VerifyAnswer, VerifyKeyInput } from "@/lib/keys/schemas";
import { envelope, listEnvelope } from "./envelope";
import { named } from "./named";

const Me = z.object({
  id: z.uuid(), memberId: z.string(), tenantId: z.uuid(), email: z.string().optional(), name: z.string().optional(), role: z.enum(["admin", "user", "viewer"]).nullable(),
  permissions: z.array(z.string()), actor: z.enum(["user", "apiKey"]), apiKeyId: z.uuid().optional(), rateLimit: z.object({ requests: z.int(), window: z.int() }).optional(),
}).openapi("Me");
const Key = named(ApiKeyView, "ApiKey");
const CreatedKey = named(CreatedKeyView, "CreatedApiKey");
/** An id of the wrong shape was never given out: 404 like any other, so it is not judged here. */
named(RotationCaller, "RotationCaller");
const Rotation = named(RotationView, "Rotation");

const KeyId = z.object({ id: z.string().max(100) });

const base = "/api/v1/auth";
const tag = "API keys";

/** Contract section 4: oneself and one's own keys. */
export function keyRoutes(app: ApiApp): void {
  route(app, { method: "get", path: `${base}/me`, tag, summary: "Who is calling, and what they may do now", answers: [{ status: 200, description: "The caller.", schema: envelope(Me) }] },
    (ctx, _input, c) => {
      const person = requirePerson(ctx);
      const { actor } = ctx;
      return success(c, {
        id: person.userId, memberId: person.sub, tenantId: person.tenantId, ...(person.email && { email: person.email }), ...(person.name && { name: person.name }), role: person.role,
        permissions: permissionsOf(ctx.permissions), actor: actor.type, ...(actor.type === "apiKey" && { apiKeyId: actor.apiKeyId, rateLimit: actor.rateLimit }),
      });
    });

  route(app, { method: "post", path: `${base}/api-keys`, tag, summary: "Create an API key; its secret is in this answer and nowhere else", permission: "api-keys:create", creates: true, body: CreateKeyInput, answers: [{ status: 201, description: "The key and its secret.", schema: envelope(CreatedKey) }] },
    async (ctx, { body }, c) => {
      const { key, secret, message } = await createKey(ctx, body);
      return success(c, { ...key, key: secret }, { status: 201, message: ["Keep this key: it will not be shown again.", message].filter(Boolean).join(" ") });
    });

  route(app, { method: "get", path: `${base}/api-keys`, tag, summary: "List one's own API keys, newest first unless sorted otherwise", permission: "api-keys:read", query: ListKeysInput, answers: [{ status: 200, description: "A page of keys.", schema: listEnvelope(Key) }] },
    async (ctx, { query }, c) => {
      const { keys, nextCursor } = await listKeys(ctx, query);
      return success(c, keys, { page: { nextCursor, limit: query.limit } });
    });

  route(app, { method: "get", path: `${base}/api-keys/:id`, tag, summary: "One of one's own keys", permission: "api-keys:read", params: KeyId, answers: [{ status: 200, description: "The key.", schema: envelope(Key) }] },
    async (ctx, { params }, c) => success(c, await getKey(ctx, params.id)));

  route(app, { method: "patch", path: `${base}/api-keys/:id`, tag, summary: "Change, disable or enable a key", permission: "api-keys:manage", params: KeyId, body: UpdateKeyInput, answers: [{ status: 200, description: "The changed key.", schema: envelope(Key) }] },
    async (ctx, { params, body }, c) => {
      const { key, message } = await updateKey(ctx, params.id, body);
      return success(c, key, { message });
    });

  route(app, { method: "delete", path: `${base}/api-keys/:id`, tag, summary: "Revoke a key, on every replica before this answers", permission: "api-keys:manage", params: KeyId, query: RevokeKeyInput, answers: [{ status: 200, description: "The revoked key.", schema: envelope(Key) }] },
    async (ctx, { params, query }, c) => {
      const { key, message } = await revokeKey(ctx, params.id, { cascade: query.cascade ?? false });
      return success(c, key, { message });
    });

  route(app, { method: "post", path: `${base}/api-keys/:id/rotate`, tag, summary: "Give a key a new secret; the old one works until the overlap ends", permission: "api-keys:manage", creates: true, params: KeyId, body: RotateKeyInput, answers: [{ status: 201, description: "The same key and its new secret, which is in this answer and nowhere else.", schema: envelope(CreatedKey) }] },
    async (ctx, { params, body }, c) => {
      const { key, secret, message } = await rotateKey(ctx, params.id, body);
      return success(c, { ...key, key: secret }, { status: 201, message: ["Keep this key: it will not be shown again.", message].filter(Boolean).join(" ") });
    });

  route(app, { method: "get", path: `${base}/api-keys/:id/rotation`, tag, summary: "Who still calls with the secret that was rotated away", permission: "api-keys:read", params: KeyId, answers: [{ status: 200, description: "Null when no overlap runs.", schema: envelope(z.union([Rotation, z.null()])) }] },
    async (ctx, { params }, c) => success(c, await getRotation(ctx, params.id)));

  route(app, { method: "delete", path: `${base}/api-keys/:id/rotation`, tag, summary: "End the overlap now, on every replica before this answers", permission: "api-keys:manage", params: KeyId, answers: [{ status: 200, description: "The key.", schema: envelope(Key) }] },
    async (ctx, { params }, c) => success(c, await endRotation(ctx, params.id)));

  route(app, {
    method: "post", path: `${base}/api-keys/verify`, tag, summary: "Ask whether a call with a key would be admitted", permission: "admin:keys", body: VerifyKeyInput,
    description: "For services that take our keys themselves. Takes nothing from any limit and counts as no use. Without `ip` the key's address list is not asked.",
    answers: [{ status: 200, description: "The verdict.", schema: envelope(named(VerifyAnswer, "KeyVerdict")) }],
  }, async (ctx, { body }, c) => success(c, await verifyKey(ctx, body)));
}
