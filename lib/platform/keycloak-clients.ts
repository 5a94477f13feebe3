import { env } from "./env";
import { SluiceError } from "./errors";

/** Which of our Keycloak clients speaks; refresh-token chains are never shared between them. */
export type KeycloakClient = "web" | "machine" | "direct" | "sync";

export function keycloakClient(client: KeycloakClient): { id: string; secret: string } {
  const e = env();
  if (client === "web") return { id: e.KEYCLOAK_CLIENT_ID, secret: e.KEYCLOAK_CLIENT_SECRET };
  if (client === "machine") return { id: e.KEYCLOAK_MACHINE_CLIENT_ID, secret: e.KEYCLOAK_MACHINE_CLIENT_SECRET };
  if (client === "sync") {
    if (!e.KEYCLOAK_SYNC_CLIENT_ID || !e.KEYCLOAK_SYNC_CLIENT_SECRET) throw new SluiceError("identity_unavailable", "No service account is set up for reading people in Keycloak.");
    return { id: e.KEYCLOAK_SYNC_CLIENT_ID, secret: e.KEYCLOAK_SYNC_CLIENT_SECRET };
  }
  if (!e.KEYCLOAK_DIRECT_CLIENT_ID || !e.KEYCLOAK_DIRECT_CLIENT_SECRET) throw new SluiceError("password_grant_disabled", "Sign-in by password is switched off.");
  return { id: e.KEYCLOAK_DIRECT_CLIENT_ID, secret: e.KEYCLOAK_DIRECT_CLIENT_SECRET };
}

/** The reverse of `keycloakClient`, for rows that name a client by its id. */
export function keycloakClientOf(clientId: string): KeycloakClient | null {
  return (["machine", "direct", "web"] as const).find((c) => (c !== "direct" || env().KEYCLOAK_DIRECT_CLIENT_ID) && keycloakClient(c).id === clientId) ?? null;
}

/** RFC 6749, section 2.3.1: both parts are form-encoded first. */
export function basicOf(client: KeycloakClient): string {
  const { id, secret } = keycloakClient(client);
  const encoded = (text: string) => new URLSearchParams({ "": text }).toString().slice(1);
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString("base64")}`;
}
