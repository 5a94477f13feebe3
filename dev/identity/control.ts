import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { readJson, sendJson } from "../lib/calls";
import type { Faults } from "./faults";
import { realmRoles } from "./realm";
import type { Realm, Settings } from "./tokens";

type Parts = { realm: Realm; faults: Faults; initial: Settings };

const name = z.string().min(1).max(100);

const Control = z.strictObject({
  disableUser: name.optional(),
  enableUser: name.optional(),
  deleteUser: name.optional(),
  revokeGrant: name.optional(),
  setRoles: z.record(name, z.array(z.enum(realmRoles)).max(10)).optional(),
  tokenDelayMs: z.int().min(0).max(600_000).optional(),
  /** Anything below 400, or null, ends it. */
  tokenStatus: z.int().min(0).max(599).nullable().optional(),
  tokenError: z.string().regex(/^[a-z_]{1,50}$/).nullable().optional(),
  accessTokenTtl: z.int().min(1).max(86_400).optional(),
  revokeRefreshToken: z.boolean().optional(),
  refreshTokenMaxReuse: z.int().min(0).max(100).optional(),
  reset: z.literal(true).optional(),
});

/** `POST /__control`: what a test may do to the realm. All of it is checked before any of it happens. */
export async function answerControl(req: IncomingMessage, res: ServerResponse, parts: Parts): Promise<void> {
  if (req.method !== "POST") return sendJson(res, 405, { error: "Use POST" });
  const parsed = Control.safeParse(await readJson(req));
  if (!parsed.success) return sendJson(res, 400, { error: z.prettifyError(parsed.error) });
  const wanted = parsed.data;
  // Reset comes first, so that the people it brings back can be named in the same call.
  if (wanted.reset) reset(parts);
  const named = [wanted.disableUser, wanted.enableUser, wanted.deleteUser, wanted.revokeGrant, ...Object.keys(wanted.setRoles ?? {})].filter((one) => one !== undefined);
  const unknown = named.find((one) => idOf(parts.realm, one) === undefined);
  if (unknown !== undefined) return sendJson(res, 400, { error: `Nobody is called ${unknown}` });
  apply(wanted, parts);
  sendJson(res, 200, { ok: true });
}

function apply(wanted: z.infer<typeof Control>, { realm, faults }: Parts): void {
  const { directory, sessions, settings } = realm;
  const each = (who: string | undefined, act: (id: string) => void) => {
    const id = who === undefined ? undefined : idOf(realm, who);
    if (id !== undefined) act(id);
  };
  for (const [who, roles] of Object.entries(wanted.setRoles ?? {})) each(who, (id) => directory.setRoles(id, roles));
  each(wanted.enableUser, (id) => directory.enable(id));
  each(wanted.disableUser, (id) => directory.disable(id));
  each(wanted.revokeGrant, (id) => ["sluice-machine", "sluice-direct"].forEach((client) => sessions.withdraw(id, client)));
  each(wanted.deleteUser, (id) => {
    sessions.forget(id);
    directory.delete(id);
  });
  if (wanted.tokenDelayMs !== undefined) faults.tokenDelayMs = wanted.tokenDelayMs;
  if (wanted.tokenStatus !== undefined) faults.tokenStatus = (wanted.tokenStatus ?? 0) >= 400 ? (wanted.tokenStatus ?? undefined) : undefined;
  if (wanted.tokenError !== undefined) faults.tokenError = wanted.tokenError ?? undefined;
  settings.accessTokenSeconds = wanted.accessTokenTtl ?? settings.accessTokenSeconds;
  settings.revokeRefreshToken = wanted.revokeRefreshToken ?? settings.revokeRefreshToken;
  settings.refreshTokenMaxReuse = wanted.refreshTokenMaxReuse ?? settings.refreshTokenMaxReuse;
}

function reset({ realm, faults, initial }: Parts): void {
  realm.directory.reset();
  faults.reset();
  Object.assign(realm.settings, initial);
}

function idOf(realm: Realm, who: string): string | undefined {
  return realm.directory.list().find((one) => one.username === who)?.id;
}
