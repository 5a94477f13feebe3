import type { Browser } from "../identity/browser";
import type { Realm } from "./identity";
import type { Person } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { verifyKeycloakToken } from "@/lib/platform/keycloak";
import { withRedis } from "@/lib/platform/redis";
import { identityOf, rememberPerson } from "@/lib/tenants";
import { storeGrant } from "@/lib/grants";

/** For tests: the realm as at the beginning, and nothing of its grants in either store. Other files have grants in the same database. */
export async function forgetGrants(realm: Realm): Promise<void> {
  await realm.control({ reset: true });
  await db().ownerGrant.deleteMany({ where: { issuer: env().KEYCLOAK_ISSUER } });
  await withRedis(async (client) => {
    const mine = [...(await client.keys("sl:idp:cb:*")), ...(await client.keys("sl:g:*"))];
    if (mine.length) await client.del(...mine);
  });
  await realm.forgetCalls();
}

/** For tests: a person of the realm who has given machine access. */
export async function anOwnerOf(realm: Realm, username: string, browser?: Browser): Promise<Person> {
  const tokens = await realm.tokensFor(username, "machine", browser);
  const claims = await verifyKeycloakToken(tokens.accessToken);
  const { person } = await rememberPerson(identityOf(claims));
  await storeGrant({
    userId: person.userId, tenantId: person.tenantId, issuer: person.issuer, sub: person.sub, client: "machine",
    refreshToken: tokens.refreshToken ?? "", refreshExpiresAt: tokens.refreshExpiresAt, kcSid: String(claims.sid),
  });
  return person;
}
