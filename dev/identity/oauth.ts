import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseBody, readBody } from "../lib/calls";
import type { Client } from "./realm";

/** An answer in the form of RFC 6749 section 5.2, with Keycloak's status. */
export class OAuthError extends Error {
  constructor(readonly status: number, readonly error: string, readonly description: string) {
    super(description);
  }
}

/** A form's fields; of one that came several times, the first. */
export type Form = Record<string, string>;

const formBytesMax = 100_000;

export async function readForm(req: IncomingMessage): Promise<Form> {
  const parsed = parseBody(await readBody(req, formBytesMax), req.headers["content-type"]);
  if (parsed === null || typeof parsed !== "object") return {};
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [name, String(Array.isArray(value) ? value[0] : value)]),
  );
}

/** Who calls, by HTTP Basic or by fields of the form. */
export function clientCredentials(req: IncomingMessage, form: Form): { clientId: string | undefined; secret: string | undefined } {
  const [scheme, encoded] = (req.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "basic" || !encoded) return { clientId: form.client_id, secret: form.client_secret };
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? { clientId: undefined, secret: undefined } : { clientId: formDecode(pair.slice(0, colon)), secret: formDecode(pair.slice(colon + 1)) };
}

// RFC 6749 section 2.3.1 has both halves form-encoded; clients that leave it out send text without "%" or "+" anyway.
function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** @throws OAuthError 401: `invalid_client` for a client that is not there, `unauthorized_client` for a wrong secret. */
export function authenticateClient(clients: Map<string, Client>, req: IncomingMessage, form: Form): Client {
  const { clientId, secret } = clientCredentials(req, form);
  const client = clientId === undefined ? undefined : clients.get(clientId);
  if (!client?.secret) throw new OAuthError(401, "invalid_client", "Invalid client or Invalid client credentials");
  const given = Buffer.from(secret ?? "");
  const wanted = Buffer.from(client.secret);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new OAuthError(401, "unauthorized_client", "Invalid client or Invalid client credentials");
  }
  return client;
}

export function bearerOf(req: IncomingMessage): string | undefined {
  const [scheme, token] = (req.headers.authorization ?? "").split(" ");
  return scheme?.toLowerCase() === "bearer" && token ? token : undefined;
}

export function noStore(res: ServerResponse): void {
  res.setHeader("cache-control", "no-store");
  res.setHeader("pragma", "no-cache");
}
