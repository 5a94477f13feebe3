import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { aPerson } from "@/dev/testing/people";
import { db } from "@/lib/platform/db";
import { findPersonByEmail } from "./find-person";
import { lookUpPerson } from "./look-up-person";

const twice = async () => {
  const [tenant, username] = [`t-${randomUUID()}`, `again-${randomUUID().slice(0, 8)}`];
  const email = `${username}@example.test`;
  const [earlier, now] = [await aPerson({ tenant, username, email }), await aPerson({ tenant, username, email })];
  return { tenant, username, email, earlier, now };
};

it("somebody deleted and made again under the same name is the one who exists, by name and by email", async () => {
  const { tenant, username, email, earlier, now } = await twice();
  await db().user.update({ where: { id: earlier.userId }, data: { keycloakState: "deleted", isActive: false } });
  for (const name of [username, email]) expect(await lookUpPerson(tenant, name)).toMatchObject({ userId: now.userId });
  expect(await findPersonByEmail(email)).toMatchObject({ id: now.userId });
  await db().user.update({ where: { id: now.userId }, data: { keycloakState: "deleted", isActive: false } });
  await expect(findPersonByEmail(email)).rejects.toMatchObject({ code: "not_found" });
});

it("two who both exist have to be told apart by their ids", async () => {
  const { tenant, username, email, earlier } = await twice();
  await expect(lookUpPerson(tenant, username)).rejects.toMatchObject({ code: "conflict" });
  await expect(findPersonByEmail(email)).rejects.toMatchObject({ code: "conflict" });
  expect(await lookUpPerson(tenant, earlier.userId)).toMatchObject({ userId: earlier.userId });
});
