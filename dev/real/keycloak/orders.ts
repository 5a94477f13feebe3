import type { RealmOrder } from "../../identity/orders";
import { people, realmRoles } from "../../identity/realm";
import type { KeycloakAdmin } from "./admin";

/** How the realm is set when nobody has turned anything, in Keycloak's words. */
export type RealmSettings = { accessTokenLifespan: number; revokeRefreshToken: boolean; refreshTokenMaxReuse: number; bruteForceProtected: boolean };

type Named = { id: string; name: string; path?: string };

/** Carries orders out through Keycloak's admin API, and undoes them. Who was deleted stays so: nobody would bring the person back. */
export class RealmOrders {
  private readonly undo = new Map<string, () => Promise<void>>();

  constructor(private readonly admin: KeycloakAdmin, private readonly initial: RealmSettings & { demoPassword: string }) {}

  async carryOut(wanted: RealmOrder): Promise<void> {
    if (wanted.reset) await this.reset();
    for (const [who, roles] of Object.entries(wanted.createUsers ?? {})) await this.change(`person ${who}`, () => this.create(who, roles), () => this.delete(who));
    for (const [who, list] of Object.entries(wanted.setRoles ?? {})) await this.change(`roles ${who}`, () => this.setRoles(who, list), () => this.setRoles(who, personOf(who)?.roles ?? []));
    for (const [who, list] of Object.entries(wanted.setGroups ?? {})) await this.change(`groups ${who}`, () => this.setGroups(who, list), () => this.setGroups(who, personOf(who)?.groups ?? []));
    if (wanted.enableUser) await this.enable(wanted.enableUser, true);
    const disabled = wanted.disableUser;
    if (disabled) await this.change(`enabled ${disabled}`, () => this.enable(disabled, false), () => this.enable(disabled, true));
    if (wanted.revokeGrant) await this.withdraw(wanted.revokeGrant);
    if (wanted.logoutUser) await this.admin.of("POST", `/users/${await this.userId(wanted.logoutUser)}/logout`);
    if (wanted.deleteSession) await this.admin.of("DELETE", `/sessions/${wanted.deleteSession.sid}?isOffline=${wanted.deleteSession.offline ?? false}`);
    if (wanted.deleteUser) await this.delete(wanted.deleteUser);
    const { backchannel } = wanted;
    if (backchannel) await this.change("backchannel", () => this.sayAtLogout(backchannel), () => this.sayAtLogout({ sessionRequired: true, revokeOffline: false }));
    await this.turn(wanted);
  }

  private async sayAtLogout({ sessionRequired, revokeOffline }: NonNullable<RealmOrder["backchannel"]>): Promise<void> {
    for (const clientId of ["sluice-web", "sluice-machine", "sluice-direct"]) {
      const path = `/clients/${await this.admin.clientUuid(clientId)}`;
      const client = await this.admin.of<{ attributes?: Record<string, string> }>("GET", path);
      const attributes = {
        ...client.attributes,
        ...(sessionRequired !== undefined && { "backchannel.logout.session.required": String(sessionRequired) }),
        ...(revokeOffline !== undefined && { "backchannel.logout.revoke.offline.tokens": String(revokeOffline) }),
      };
      await this.admin.of("PUT", path, { ...client, attributes });
    }
  }

  private async reset(): Promise<void> {
    // The latest first: what was done to a person is undone before the person is.
    for (const back of [...this.undo.values()].reverse()) await back();
    this.undo.clear();
  }

  private async change(what: string, act: () => Promise<void>, back: () => Promise<void>): Promise<void> {
    this.undo.set(what, back);
    await act();
  }

  private async turn(wanted: RealmOrder): Promise<void> {
    const settings = {
      ...(wanted.accessTokenTtl && { accessTokenLifespan: wanted.accessTokenTtl }),
      ...(wanted.revokeRefreshToken !== undefined && { revokeRefreshToken: wanted.revokeRefreshToken }),
      ...(wanted.refreshTokenMaxReuse !== undefined && { refreshTokenMaxReuse: wanted.refreshTokenMaxReuse }),
      ...(wanted.bruteForceProtected !== undefined && { bruteForceProtected: wanted.bruteForceProtected }),
      ...(wanted.offlineMaxLimited !== undefined && { offlineSessionMaxLifespanEnabled: wanted.offlineMaxLimited }),
    };
    if (Object.keys(settings).length === 0) return;
    const put = async (change: object) => void (await this.admin.call("PUT", `/${this.admin.realm}`, change));
    const { demoPassword: _password, ...initial } = this.initial;
    await this.change("realm", () => put(settings), () => put({ ...initial, offlineSessionMaxLifespanEnabled: true }));
  }

  private async setRoles(username: string, wanted: readonly string[]): Promise<void> {
    const id = await this.userId(username);
    const ours = (await this.admin.of<Named[]>("GET", "/roles")).filter((role) => (realmRoles as readonly string[]).includes(role.name));
    await this.admin.of("DELETE", `/users/${id}/role-mappings/realm`, ours.filter((role) => !wanted.includes(role.name)));
    await this.admin.of("POST", `/users/${id}/role-mappings/realm`, ours.filter((role) => wanted.includes(role.name)));
  }

  private async setGroups(username: string, wanted: readonly string[]): Promise<void> {
    const id = await this.userId(username);
    const known = await this.admin.of<Named[]>("GET", "/groups");
    for (const path of wanted.filter((each) => !known.some((group) => group.path === each))) await this.admin.of("POST", "/groups", { name: path.slice(1) });
    for (const group of await this.admin.of<Named[]>("GET", "/groups")) {
      await this.admin.of(wanted.includes(group.path ?? "") ? "PUT" : "DELETE", `/users/${id}/groups/${group.id}`);
    }
  }

  private async enable(username: string, enabled: boolean): Promise<void> {
    await this.admin.of("PUT", `/users/${await this.userId(username)}`, { enabled });
  }

  private async withdraw(username: string): Promise<void> {
    const id = await this.userId(username);
    // 404: this person has given nothing through that client.
    for (const client of ["sluice-machine", "sluice-direct"]) await this.admin.of("DELETE", `/users/${id}/consents/${client}`, undefined, [404]);
  }

  private async create(username: string, roles: readonly string[]): Promise<void> {
    await this.admin.of("POST", "/users", {
      username, email: `${username}@acme.test`, firstName: "Some", lastName: "Body", enabled: true, emailVerified: true, groups: ["/acme"],
      credentials: [{ type: "password", value: this.initial.demoPassword, temporary: false }],
    });
    await this.setRoles(username, roles);
  }

  private async delete(username: string): Promise<void> {
    const id = await this.userId(username);
    for (const what of ["person", "roles", "groups", "enabled"]) this.undo.delete(`${what} ${username}`);
    await this.admin.of("DELETE", `/users/${id}`);
  }

  private async userId(username: string): Promise<string> {
    const id = await this.admin.userId(username);
    if (!id) throw new Error(`Nobody is called ${username}`);
    return id;
  }
}

function personOf(username: string) {
  return people.find((one) => one.username === username);
}
