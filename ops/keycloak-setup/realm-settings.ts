import type { Realm } from "./representations";

type Setting = Exclude<keyof Realm, "realm" | "enabled" | "defaultRole" | "organizationsEnabled">;
export type Recommendation = { setting: Setting; from: number | boolean; to: number | boolean; why: string };

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * Settings of the realm that differ from what we recommend. They hold for every client of the realm, the operator's own
 * too, so they are changed only on request. A setting that could not be read is not judged.
 */
export function recommendations(realm: Realm): Recommendation[] {
  const found: Recommendation[] = [];
  const recommend = (setting: Setting, good: (value: never) => boolean, to: number | boolean, why: string) => {
    const from = realm[setting];
    if (from !== undefined && !good(from as never)) found.push({ setting, from, to, why });
  };
  recommend("accessTokenLifespan", (s: number) => s <= 5 * minute, 5 * minute, "a disabled account keeps its access tokens this long");
  recommend("ssoSessionIdleTimeout", (s: number) => s >= 30 * minute && s <= hour, 30 * minute, "30 to 60 minutes; our sessions cannot outlive it");
  recommend("ssoSessionMaxLifespan", (s: number) => s <= 12 * hour, 12 * hour, "at most 12 hours, then people prove who they are");
  // Off is fine. On without a reuse, one lost answer costs the session.
  if (realm.revokeRefreshToken === true) recommend("refreshTokenMaxReuse", (n: number) => n === 1, 1, "with Revoke Refresh Token on, 0 makes a lost answer end the session, and more than 1 protects nothing");
  recommend("offlineSessionMaxLifespanEnabled", (on: boolean) => on, true, "machine access then ends some day (ASVS 10.4.8)");
  recommend("offlineSessionMaxLifespan", (s: number) => s <= 90 * day, 90 * day, "at most 90 days");
  return found;
}
