import { z } from "zod";
import { realmRoles } from "./realm";

const name = z.string().min(1).max(100);

/** What a test may do to the realm; a real Keycloak behind its front takes the same orders. People are named by username. */
export const RealmOrder = z.strictObject({
  /** More people of /acme, by username, with their roles and everybody's password; a reset takes them away again. */
  createUsers: z.record(z.string().regex(/^[a-z][a-z0-9]{1,30}$/), z.array(z.enum(realmRoles)).max(10)).optional(),
  disableUser: name.optional(),
  enableUser: name.optional(),
  deleteUser: name.optional(),
  /** Withdraws what the person has allowed any client. */
  revokeGrant: name.optional(),
  /** An administrator's "sign out". */
  logoutUser: name.optional(),
  deleteSession: z.strictObject({ sid: name, offline: z.boolean().default(false) }).optional(),
  setRoles: z.record(name, z.array(z.enum(realmRoles)).max(10)).optional(),
  /** Groups by path, such as `/acme`. */
  setGroups: z.record(name, z.array(name).max(10)).optional(),
  accessTokenTtl: z.int().min(1).max(86_400).optional(),
  revokeRefreshToken: z.boolean().optional(),
  refreshTokenMaxReuse: z.int().min(0).max(100).optional(),
  /** Whether one person's sign-ins by password at once are refused but for one. */
  bruteForceProtected: z.boolean().optional(),
  /** Whether an offline session has an absolute end. */
  offlineMaxLimited: z.boolean().optional(),
  /** What every client's back-channel logout says: whether the session is named, and whether offline access is said to be revoked. */
  backchannel: z.strictObject({ sessionRequired: z.boolean().optional(), revokeOffline: z.boolean().optional() }).optional(),
  reset: z.literal(true).optional(),
});
export type RealmOrder = z.input<typeof RealmOrder>;
