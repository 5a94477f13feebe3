import { readFileSync } from "node:fs";
import { join } from "node:path";
import { people } from "../../identity/realm";
import type { KeycloakAdmin } from "./admin";

/** What `${NAME:default}` in `sluice-realm.json` may be filled with. */
export type RealmValues = Partial<Record<"SLUICE_URL" | "SLUICE_BACKCHANNEL_URL" | "SLUICE_ACCESS_TOKEN_SECONDS" | "SLUICE_REVOKE_REFRESH" | "SLUICE_REFRESH_REUSE" | "SLUICE_ORGANIZATIONS" | "SLUICE_DEMO_PASSWORD" | "SLUICE_WEB_SECRET" | "SLUICE_MACHINE_SECRET" | "SLUICE_DIRECT_SECRET" | "SLUICE_SYNC_SECRET", string>>;

type RealmFile = { realm: string; organizationsEnabled: string; organizations?: unknown; roles: unknown; users: { id?: string; username: string; realmRoles?: string[] }[] };

/**
 * Throws the realm away and makes it anew, in about two seconds. Placeholders are filled here, because the admin API
 * (other than Keycloak's own import at a start) does not know them. People get the ids that the embedded realm gives
 * them, so that the same seed fits both.
 */
export async function freshRealm(admin: KeycloakAdmin, values: RealmValues = {}): Promise<void> {
  const text = readFileSync(join(import.meta.dirname, "sluice-realm.json"), "utf8")
    .replace(/\$\{(\w+):([^}]*)\}/g, (_, name: keyof RealmValues, fallback: string) => JSON.stringify(values[name] ?? fallback).slice(1, -1))
    .replaceAll("default-roles-sluice", `default-roles-${admin.realm}`);
  const wanted = JSON.parse(text) as RealmFile;
  wanted.realm = admin.realm;
  // Keycloak 26.2 refuses them while the switch is off.
  if (wanted.organizationsEnabled === "false") delete wanted.organizations;
  for (const user of wanted.users) user.id ??= people.find((one) => one.username === user.username)?.id;
  await admin.call("DELETE", `/${admin.realm}`, undefined, [404]);
  await admin.call("POST", "", wanted);
}
