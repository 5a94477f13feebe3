import { expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { createKey } from "@/lib/keys";
import { CreateKeyInput, WhatIfInput } from "@/lib/keys/schemas";
import { createApi } from "./app";
import { whatIfCall } from "./what-if";

const create = async (ctx: ReturnType<typeof contextOf>, permissions: string[]) => createKey(ctx, CreateKeyInput.parse({ name: "k", permissions }));

it("outside of administration an administrator supposes calls with their own keys only; the portal's page of a refusal, with anybody's", async () => {
  const admin = contextOf(await aPerson({ role: "admin" }));
  const own = await create(admin, ["*"]);
  const others = await create(contextOf(await aPerson()), ["chatflows:read"]);
  const ask = (apiKeyId: string) => createApi().request("/api/v1/decisions/what-if", { method: "POST", headers: { "x-api-key": own.secret, "content-type": "application/json" }, body: JSON.stringify({ apiKeyId }) });
  expect((await ask(own.key.id)).status).toBe(200);
  expect((await ask(others.key.id)).status).toBe(404);
  const about = WhatIfInput.parse({ apiKeyId: others.key.id, method: "GET", path: "/api/v1/chatflows" });
  expect(await whatIfCall(admin, about)).toMatchObject({ admitted: true, permission: "chatflows:read" });
  await expect(whatIfCall(contextOf(await aPerson()), about)).rejects.toMatchObject({ code: "not_found" });
});
