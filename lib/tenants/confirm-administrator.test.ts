import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { contextOf } from "@/dev/testing/people";
import { type Context, requirePerson } from "@/lib/access";
import { env, setEnv } from "@/lib/platform/env";
import { withRedis } from "@/lib/platform/redis";
import { confirmAdministrator, lookUpPerson } from ".";
import { getPersonState } from "./person-state";

let realm: Realm;
beforeAll(async () => { realm = await aRealm(); });
afterEach(async () => {
  setEnv(undefined);
  await realm.control({ reset: true });
});
afterAll(() => realm.close());

const forget = (ctx: Context) => withRedis((client) => client.del(`sl:kc:asked:${requirePerson(ctx).userId}`));
const ada = async () => {
  const ctx = contextOf((await getPersonState((await lookUpPerson("acme", "ada")).userId)).person);
  await forget(ctx);
  return ctx;
};

describe("an administrator who changes something", () => {
  it("is refused when Keycloak has disabled or deleted them, before any sweep", async () => {
    const ctx = await ada();
    await realm.control({ disableUser: "ada" });
    await expect(confirmAdministrator(ctx)).rejects.toMatchObject({ code: "owner_disabled" });
    await realm.control({ reset: true, deleteUser: "ada" });
    await expect(confirmAdministrator(ctx)).rejects.toMatchObject({ code: "owner_disabled" });
    await realm.control({ reset: true });
    await confirmAdministrator(ctx);
  });

  it("is asked about once for a while, and others not at all", async () => {
    const ctx = await ada();
    await confirmAdministrator(ctx);
    await realm.control({ disableUser: "ada" });
    await confirmAdministrator(ctx);
    await forget(ctx);
    await expect(confirmAdministrator(ctx)).rejects.toMatchObject({ code: "owner_disabled" });
    const uma = contextOf((await getPersonState((await lookUpPerson("acme", "uma")).userId)).person);
    await realm.control({ disableUser: "uma" });
    await confirmAdministrator(uma);
  });

  it("is not held up by a Keycloak that does not answer", async () => {
    const ctx = await ada();
    const away = "http://localhost:9/realms/sluice";
    setEnv({ ...env(), KEYCLOAK_ISSUER: away });
    if (ctx.actor.type === "user") ctx.actor.person = { ...ctx.actor.person, issuer: away };
    await confirmAdministrator(ctx);
  });
});
