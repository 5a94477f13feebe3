import { z } from "zod";
import { people, realmRoles } from "../../identity/realm";
import { pause } from "../../lib/faults";
import { sendJson } from "../../lib/calls";
import { type Passing, startFront } from "../front";
import type { KeycloakAdmin } from "./admin";

const name = z.string().min(1).max(100);
/** The same orders as the embedded provider takes, carried out through Keycloak's admin API. */
const Control = z.strictObject({
  disableUser: name.optional(), enableUser: name.optional(), deleteUser: name.optional(), revokeGrant: name.optional(),
  setRoles: z.record(name, z.array(z.enum(realmRoles))).optional(),
  tokenDelayMs: z.int().min(0).optional(), tokenStatus: z.int().nullable().optional(), tokenError: z.string().nullable().optional(),
  accessTokenTtl: z.int().min(1).optional(), revokeRefreshToken: z.boolean().optional(), refreshTokenMaxReuse: z.int().min(0).optional(),
  reset: z.literal(true).optional(),
});

const secretFields = /^(client_secret|password|code|code_verifier|refresh_token|subject_token|token|access_token|id_token_hint|assertion)$/;

/** A counting proxy before Keycloak: calls of the token endpoint are kept, faults of it are made here, the rest is Keycloak's. */
export async function startKeycloakFront(admin: KeycloakAdmin, realmSettings: { accessTokenLifespan: number }): Promise<{ origin: string; issuer: string; close(): Promise<void> }> {
  const faults = { delayMs: 0, status: null as number | null, error: null as string | null };
  const isTokenEndpoint = ({ path }: Passing) => path === `/realms/${admin.realm}/protocol/openid-connect/token`;
  const undo = new Map<string, () => Promise<void>>();

  const roles = async (username: string, wanted: readonly string[]) => {
    const id = await userId(admin, username);
    const all = await admin.of<{ id: string; name: string }[]>("GET", "/roles");
    const ours = all.filter((role) => (realmRoles as readonly string[]).includes(role.name));
    await admin.of("DELETE", `/users/${id}/role-mappings/realm`, ours.filter((role) => !wanted.includes(role.name)));
    await admin.of("POST", `/users/${id}/role-mappings/realm`, ours.filter((role) => wanted.includes(role.name)));
  };
  const enable = async (username: string, enabled: boolean) => {
    await admin.of("PUT", `/users/${await userId(admin, username)}`, { enabled });
  };
  const withdraw = async (username: string) => {
    const id = await userId(admin, username);
    // 404: this person has given nothing through that client.
    for (const client of ["sluice-machine", "sluice-direct"]) await admin.of("DELETE", `/users/${id}/consents/${client}`, undefined, [404]);
  };
  const realm = (change: object) => admin.call("PUT", `/${admin.realm}`, change);

  const control = async (order: unknown): Promise<void> => {
    const wanted = Control.parse(order);
    if (wanted.reset) {
      Object.assign(faults, { delayMs: 0, status: null, error: null });
      for (const back of [...undo.values()]) await back();
      undo.clear();
    }
    for (const [who, list] of Object.entries(wanted.setRoles ?? {})) {
      undo.set(`roles ${who}`, () => roles(who, people.find((one) => one.username === who)?.roles ?? []));
      await roles(who, list);
    }
    if (wanted.enableUser) await enable(wanted.enableUser, true);
    if (wanted.disableUser) {
      const who = wanted.disableUser;
      undo.set(`enabled ${who}`, () => enable(who, true));
      await enable(who, false);
    }
    if (wanted.revokeGrant) await withdraw(wanted.revokeGrant);
    if (wanted.deleteUser) throw new Error("deleteUser is not offered here: nobody would bring the person back");
    if (wanted.tokenDelayMs !== undefined) faults.delayMs = wanted.tokenDelayMs;
    if (wanted.tokenStatus !== undefined) faults.status = (wanted.tokenStatus ?? 0) >= 400 ? wanted.tokenStatus : null;
    if (wanted.tokenError !== undefined) faults.error = wanted.tokenError;
    const settings = { ...(wanted.accessTokenTtl && { accessTokenLifespan: wanted.accessTokenTtl }), ...(wanted.revokeRefreshToken !== undefined && { revokeRefreshToken: wanted.revokeRefreshToken }), ...(wanted.refreshTokenMaxReuse !== undefined && { refreshTokenMaxReuse: wanted.refreshTokenMaxReuse }) };
    if (Object.keys(settings).length > 0) {
      undo.set("realm", async () => void (await realm({ ...realmSettings, revokeRefreshToken: false, refreshTokenMaxReuse: 0 })));
      await realm(settings);
    }
  };

  const front = await startFront({
    target: admin.base,
    control,
    record: (passing) => (isTokenEndpoint(passing) ? masked(passing) : null),
    async before(passing) {
      if (!isTokenEndpoint(passing)) return false;
      await pause(faults.delayMs);
      if (faults.error !== null) {
        sendJson(passing.res, 400, { error: faults.error, error_description: "injected" });
        return true;
      }
      if (faults.status === null) return false;
      sendJson(passing.res, faults.status, { error: "injected" });
      return true;
    },
  });
  return { ...front, issuer: `${front.origin}/realms/${admin.realm}` };
}

async function userId(admin: KeycloakAdmin, username: string): Promise<string> {
  const id = await admin.userId(username);
  if (!id) throw new Error(`Nobody is called ${username}`);
  return id;
}

function masked({ body, req }: Passing): unknown {
  if (typeof body !== "object" || body === null) return body;
  const basic = /^Basic (\S+)$/.exec(req.headers.authorization ?? "")?.[1];
  const clientId = basic ? decodeURIComponent(Buffer.from(basic, "base64").toString("utf8").split(":")[0] ?? "") : undefined;
  return { ...(clientId && { client_id: clientId }), ...Object.fromEntries(Object.entries(body).map(([field, value]) => [field, secretFields.test(field) ? "***" : (value as unknown)])) };
}
