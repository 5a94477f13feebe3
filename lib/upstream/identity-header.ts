import { randomUUID } from "node:crypto";
import type { Context } from "@/lib/access";
import { sha256Hex } from "@/lib/platform/crypto";
import { signJwt } from "@/lib/platform/signing-keys";
import { audienceOf, type Engine } from "./whose-token";

/**
 * `X-Sluice-Identity`: who the call is made for, signed by us for this engine, this body and this minute. An engine that cannot
 * check Keycloak's tokens can check this one by our key set; it is never accepted as a credential here.
 */
export async function identityHeader(ctx: Context, engine: Engine, body: Buffer | undefined): Promise<string> {
  const { actor } = ctx;
  const person = actor.type === "user" || actor.type === "apiKey" ? actor.person : null;
  return signJwt({
    aud: audienceOf(engine), sub: person?.sub ?? `sluice:${actor.type}`, jti: randomUUID(),
    ...(person && { tenant: person.tenant, email: person.email, role: person.role }),
    ...(actor.type === "apiKey" && { key_id: actor.apiKeyId }),
    ...(body && { body_sha256: sha256Hex(body) }),
  }, { typ: "sluice-identity+jwt", expiresInSeconds: 60 });
}
