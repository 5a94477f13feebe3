import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Call } from "@/dev/lib/calls";
import { startNflow } from "@/dev/nflow/server";
import { anEngine } from "@/dev/testing/engine";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { contextOf } from "@/dev/testing/people";
import type { Context } from "@/lib/access";
import { env, setEnv } from "@/lib/platform/env";
import { verifyKeycloakToken } from "@/lib/platform/keycloak";
import { identityOf, rememberPerson } from "@/lib/tenants";
import { closeUpstream } from "@/lib/upstream";
import { createApp, getApp, removeApps, searchApps } from ".";
import { CreateAppInput, SearchAppsInput } from "./schemas";

let realm: Realm;
let nflow: Awaited<ReturnType<typeof startNflow>>;
const contexts = new Map<string, Context>();

beforeAll(async () => {
  realm = await aRealm();
  nflow = await startNflow({ issuer: realm.issuer });
  for (const username of ["uma", "vic", "gus"]) {
    const { accessToken, expiresAt } = await realm.tokensFor(username);
    const { person } = await rememberPerson(identityOf(await verifyKeycloakToken(accessToken)));
    contexts.set(username, contextOf(person, { credential: { kind: "keycloak", token: accessToken, expiresAt } }));
  }
});
beforeEach(async () => {
  setEnv({ ...env(), NFLOW_API_URL: nflow.url });
  await order({ reset: true });
  await fetch(`${nflow.origin}/__calls`, { method: "DELETE" });
});
afterAll(async () => {
  await closeUpstream();
  await Promise.all([nflow.close(), realm.close()]);
});

const order = (wish: object) => fetch(`${nflow.origin}/__control`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wish) });
const calls = async () => (await (await fetch(`${nflow.origin}/__calls`)).json()) as Call[];
const as = (username: string) => {
  const ctx = contexts.get(username);
  if (!ctx) throw new Error(username);
  return ctx;
};
const newName = () => `app_${randomUUID().slice(0, 8)}`;

describe("NFlow's applications", () => {
  it("are created, found, read and removed, in NFlow's own shapes", async () => {
    const name = newName();
    const made = await createApp(as("uma"), { name, displayName: "Expenses", description: "d", tagNames: [] });
    expect(made).toMatchObject({ id: expect.any(String), name, displayName: "Expenses", profiles: expect.any(Array), createdAt: expect.any(String) });
    expect(await getApp(as("uma"), name)).toEqual(made);
    expect(await searchApps(as("uma"), { searchText: name })).toMatchObject({ data: [{ name }], pageInfo: { total: 1 } });
    await removeApps(as("uma"), { names: [name] });
    await expect(getApp(as("uma"), name)).rejects.toMatchObject({ code: "not_found" });
    expect((await searchApps(as("uma"), { searchText: name, onlyDeleted: true })).data).toHaveLength(1);
  });

  it("of another organisation are 404 and stay as they are", async () => {
    const name = newName();
    await createApp(as("uma"), { name, displayName: "Ours" });
    await expect(getApp(as("gus"), name)).rejects.toMatchObject({ code: "not_found" });
    await expect(removeApps(as("gus"), { names: [name] })).rejects.toMatchObject({ code: "not_found" });
    expect((await getApp(as("uma"), name)).name).toBe(name);
  });

  it("a name that is taken is conflict with NFlow's reference, and asked once", async () => {
    const name = newName();
    await createApp(as("uma"), { name, displayName: "One" });
    await expect(createApp(as("uma"), { name, displayName: "Two" })).rejects.toMatchObject({ code: "conflict", options: { extra: { refId: expect.any(String), upstreamErrors: expect.any(Array) } } });
    expect((await getApp(as("uma"), name)).displayName).toBe("One");
  });

  it("a viewer reads and changes nothing; nothing reaches NFlow without the permission", async () => {
    expect((await searchApps(as("vic"), {})).pageInfo.offset).toBe(0);
    await fetch(`${nflow.origin}/__calls`, { method: "DELETE" });
    await expect(createApp(as("vic"), { name: newName(), displayName: "x" })).rejects.toMatchObject({ code: "insufficient_permission" });
    await expect(removeApps(as("vic"), { names: ["x"] })).rejects.toMatchObject({ code: "insufficient_permission" });
    const blind = { ...as("uma"), permissions: 0 };
    await expect(searchApps(blind, {})).rejects.toMatchObject({ code: "insufficient_permission" });
    await expect(getApp(blind, "x")).rejects.toMatchObject({ code: "insufficient_permission" });
    expect(await calls()).toEqual([]);
  });

  it("what NFlow itself does not allow is upstream_forbidden", async () => {
    await order({ failNext: { status: 403, times: 1, body: { errors: ["FORBIDDEN"] } } });
    await expect(searchApps(as("uma"), {})).rejects.toMatchObject({ code: "upstream_forbidden" });
  });

  it("names of other operations and dots are no applications, and nothing is asked", async () => {
    for (const name of ["search", "remove", "recover", ".", ".."]) await expect(getApp(as("uma"), name)).rejects.toMatchObject({ code: "not_found" });
    expect(await calls()).toEqual([]);
    await expect(getApp(as("uma"), "../../me")).rejects.toMatchObject({ code: "not_found" });
    expect((await calls())[0]?.path).toBe("/v1/builder/apps/..%2F..%2Fme");
  });

  it("an answer that is not NFlow's is upstream_error; fields that NFlow adds pass", async () => {
    const answers = ["<html>", "[]", '{"data":1}', '{"data":[{"id":"1","name":"n","displayName":"N","brandNew":{"a":1}}],"pageInfo":{"limit":20,"offset":0,"total":1,"hasNext":false}}'];
    const engine = await anEngine((_req, res, count) => void res.end(answers[count - 1]));
    setEnv({ ...env(), NFLOW_API_URL: engine.url });
    for (let i = 0; i < 3; i++) await expect(searchApps(as("uma"), {})).rejects.toMatchObject({ code: "upstream_error" });
    expect(await searchApps(as("uma"), {})).toMatchObject({ data: [{ brandNew: { a: 1 } }], pageInfo: { hasNext: false } });
    await engine.close();
  });
});

describe("inputs", () => {
  it("take NFlow's names, and no field that it does not know", () => {
    for (const name of ["app", "personalFinance", "transaction-list", "a".repeat(128)]) expect(CreateAppInput.safeParse({ name, displayName: "x" }).success).toBe(true);
    for (const name of ["", "1a", "_a", "a b", "a/b", "a".repeat(129), "ä", 5, null]) expect(CreateAppInput.safeParse({ name, displayName: "x" }).success).toBe(false);
    expect(CreateAppInput.safeParse({ name: "a", displayName: "x", owner: "me" }).success).toBe(false);
    expect(SearchAppsInput.safeParse({ limit: 101 }).success).toBe(false);
    expect(SearchAppsInput.safeParse({ sortOrder: "asc" }).success).toBe(false);
  });
});
