import { randomBytes } from "node:crypto";
import { z } from "zod";

/** A realm as Keycloak makes it, with one person in the group acme, on a running Keycloak whose administrator is admin/admin. */
export type BlankRealm = {
  base: string; name: string; issuer: string; person: { id: string; username: string; password: string };
  /** The admin API, with paths below the realm. @throws for any answer but success. */
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
  remove(): Promise<void>;
};

const Users = z.array(z.object({ id: z.string() })).min(1);
const Token = z.object({ access_token: z.string() });

export function keycloakBase(): string {
  const base = process.env.SLUICE_REAL_KEYCLOAK?.replace(/\/+$/, "");
  if (!base) throw new Error("SLUICE_REAL_KEYCLOAK must name a running Keycloak, such as http://localhost:18080");
  return base;
}

export async function adminToken(base: string): Promise<string> {
  const form = new URLSearchParams({ grant_type: "password", client_id: "admin-cli", username: "admin", password: "admin" });
  return Token.parse(await (await fetch(`${base}/realms/master/protocol/openid-connect/token`, { method: "POST", body: form })).json()).access_token;
}

export async function makeBlankRealm(prefix: string): Promise<BlankRealm> {
  const base = keycloakBase();
  const name = `${prefix}-${randomBytes(4).toString("hex")}`;
  const admin = async (method: string, path: string, body?: unknown) => {
    // A fresh token each time: it lives for a minute, a test may take longer.
    const answer = await fetch(`${base}/admin/realms${path}`, { method, headers: { authorization: `Bearer ${await adminToken(base)}`, "content-type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? (JSON.parse(text) as unknown) : null;
  };
  const person = { username: "tess", password: "tess-password-1" };
  await admin("POST", "", {
    realm: name, enabled: true, sslRequired: "none", groups: [{ name: "acme" }],
    users: [{ username: person.username, enabled: true, email: "tess@acme.test", emailVerified: true, firstName: "Tess", lastName: "Turner", credentials: [{ type: "password", value: person.password, temporary: false }], groups: ["/acme"], realmRoles: [`default-roles-${name}`] }],
  });
  const [found] = Users.parse(await admin("GET", `/${name}/users?username=${person.username}&exact=true`));
  return {
    base, name, issuer: `${base}/realms/${name}`, person: { id: found?.id ?? "", ...person },
    admin: (method, path, body) => admin(method, `/${name}${path}`, body),
    remove: async () => void (await admin("DELETE", `/${name}`)),
  };
}
