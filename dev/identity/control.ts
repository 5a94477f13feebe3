import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { readJson, sendJson } from "../lib/calls";
import { faultOrder, type Faults } from "./faults";
import { RealmOrder } from "./orders";
import type { Settings } from "./sessions";
import type { SignOut } from "./sign-out";
import type { Realm } from "./tokens";

type Parts = { realm: Realm; faults: Faults; initial: Settings; signOut: SignOut };

const Control = z.strictObject({
  ...RealmOrder.shape,
  ...faultOrder,
});

/** `POST /__control`: what a test may do to the realm. All of it is checked before any of it happens. */
export async function answerControl(req: IncomingMessage, res: ServerResponse, parts: Parts): Promise<void> {
  if (req.method !== "POST") return sendJson(res, 405, { error: "Use POST" });
  const parsed = Control.safeParse(await readJson(req));
  if (!parsed.success) return sendJson(res, 400, { error: z.prettifyError(parsed.error) });
  const wanted = parsed.data;
  // Reset comes first, so that the people it brings back can be named in the same call.
  if (wanted.reset) reset(parts);
  const taken = Object.keys(wanted.createUsers ?? {}).find((one) => idOf(parts.realm, one) !== undefined);
  if (taken !== undefined) return sendJson(res, 400, { error: `Somebody is called ${taken} already` });
  for (const [who, roles] of Object.entries(wanted.createUsers ?? {})) parts.realm.directory.create(who, roles);
  const named = [wanted.disableUser, wanted.enableUser, wanted.deleteUser, wanted.revokeGrant, wanted.logoutUser, ...Object.keys(wanted.setRoles ?? {}), ...Object.keys(wanted.setGroups ?? {})].filter((one) => one !== undefined);
  const unknown = named.find((one) => idOf(parts.realm, one) === undefined);
  if (unknown !== undefined) return sendJson(res, 400, { error: `Nobody is called ${unknown}` });
  const { sid, offline = false } = wanted.deleteSession ?? {};
  if (sid !== undefined && !isSession(parts.realm, sid, offline)) return sendJson(res, 400, { error: "There is no such session" });
  await apply(wanted, parts);
  sendJson(res, 200, { ok: true });
}

async function apply(wanted: z.output<typeof Control>, { realm, faults, signOut }: Parts): Promise<void> {
  const { directory, sessions, settings } = realm;
  const each = async (who: string | undefined, act: (id: string) => void | Promise<void>) => {
    const id = who === undefined ? undefined : idOf(realm, who);
    if (id !== undefined) await act(id);
  };
  for (const [who, roles] of Object.entries(wanted.setRoles ?? {})) await each(who, (id) => directory.setRoles(id, roles));
  for (const [who, groups] of Object.entries(wanted.setGroups ?? {})) await each(who, (id) => directory.setGroups(id, groups));
  await each(wanted.enableUser, (id) => directory.enable(id));
  await each(wanted.disableUser, (id) => directory.disable(id));
  await each(wanted.revokeGrant, async (id) => {
    for (const client of ["sluice-machine", "sluice-direct"]) await signOut.consent(id, client);
  });
  await each(wanted.logoutUser, (id) => signOut.person(id));
  if (wanted.deleteSession) await (wanted.deleteSession.offline ? signOut.offline(wanted.deleteSession.sid) : signOut.browser(wanted.deleteSession.sid));
  await each(wanted.deleteUser, (id) => {
    sessions.forget(id);
    directory.delete(id);
  });
  faults.apply(wanted);
  settings.accessTokenSeconds = wanted.accessTokenTtl ?? settings.accessTokenSeconds;
  settings.revokeRefreshToken = wanted.revokeRefreshToken ?? settings.revokeRefreshToken;
  settings.refreshTokenMaxReuse = wanted.refreshTokenMaxReuse ?? settings.refreshTokenMaxReuse;
  settings.bruteForceProtected = wanted.bruteForceProtected ?? settings.bruteForceProtected;
  settings.offlineMaxLimited = wanted.offlineMaxLimited ?? settings.offlineMaxLimited;
  settings.backchannelSessionRequired = wanted.backchannel?.sessionRequired ?? settings.backchannelSessionRequired;
  settings.backchannelRevokeOffline = wanted.backchannel?.revokeOffline ?? settings.backchannelRevokeOffline;
}

function reset({ realm, faults, initial }: Parts): void {
  realm.directory.reset();
  faults.reset();
  Object.assign(realm.settings, initial);
}

function idOf(realm: Realm, who: string): string | undefined {
  return realm.directory.list().find((one) => one.username === who)?.id;
}

function isSession({ sessions }: Realm, sid: string, offline: boolean): boolean {
  return offline ? sessions.offlineClientsOf(sid).length > 0 : sessions.findSso(sid) !== undefined;
}
