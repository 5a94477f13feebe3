import { afterAll, afterEach, describe, expect, it } from "vitest";
import { fixedId, people } from "../../dev/identity/realm";
import { claimsOf, partyOf, secondsLeft } from "./party";
import { aProtocolRealm } from "./provider";
import { readerOf } from "./reader";

const realm = await aProtocolRealm();
const party = partyOf(realm);
const reader = readerOf(realm, party);
afterEach(() => realm.order({ reset: true }));
afterAll(() => realm.close());

type Named = { id: string; username?: string; name?: string; path?: string };
const idOf = (username: string) => fixedId(`user/${username}`);
const list = async (path: string) => {
  const { status, body } = await reader.get(path);
  expect(status).toBe(200);
  return body as Named[];
};
const names = async (path: string) => (await list(path)).map((one) => one.username ?? one.name);

describe("the service account", () => {
  it("gets an access token and nothing to refresh it by", async () => {
    const { status, body } = await reader.service();
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: "Bearer", expires_in: secondsLeft(60), refresh_expires_in: 0 });
    expect(body.refresh_token).toBeUndefined();
    expect(claimsOf(body.access_token)).toMatchObject({ azp: "sluice-sync", preferred_username: "service-account-sluice-sync" });
  });
});

describe("people", () => {
  it("are listed by name, page by page, without service accounts", async () => {
    expect(await names("/users?first=0&max=4&briefRepresentation=true")).toEqual(["ada", "dis", "gus", "nel"]);
    expect(await names("/users?first=4&max=4&briefRepresentation=true")).toEqual(["uma", "vic"]);
    expect(await names("/users?first=6&max=4&briefRepresentation=true")).toEqual([]);
    expect(await names("/users")).toEqual(people.map((one) => one.username).sort());
  });

  it("are shown with what a sync needs", async () => {
    const [ada] = await list("/users?first=0&max=1&briefRepresentation=true");
    const shown = { id: idOf("ada"), username: "ada", email: "ada@acme.test", emailVerified: true, firstName: "Ada", lastName: "Archer", enabled: true };
    expect(ada).toMatchObject(shown);
    expect((await reader.get(`/users/${idOf("ada")}`)).body).toMatchObject({ ...shown, notBefore: 0 });
  });

  it("are found by whether they are enabled", async () => {
    await realm.order({ disableUser: "dis" });
    expect(await names("/users?enabled=false&briefRepresentation=true")).toEqual(["dis"]);
    expect(await names("/users?enabled=true&max=2")).toEqual(["ada", "gus"]);
    expect((await reader.get(`/users/${idOf("dis")}`)).body).toMatchObject({ enabled: false });
    expect((await list("/users?username=dis&exact=true"))[0]).toMatchObject({ enabled: false });
  });

  it("are found by name or email, in part or exactly", async () => {
    expect(await names("/users?username=um")).toEqual(["uma"]);
    expect(await names("/users?username=um&exact=true")).toEqual([]);
    expect(await names("/users?email=gus@globex.test&exact=true")).toEqual(["gus"]);
    expect(await names("/users?search=usher")).toEqual(["uma"]);
  });

  it("who were deleted are 404, like people who never were", async () => {
    await realm.order({ deleteUser: "gus" });
    expect((await reader.get(`/users/${idOf("gus")}`)).status).toBe(404);
    expect((await reader.get(`/users/${idOf("nobody")}`)).status).toBe(404);
    expect((await reader.get(`/users/${idOf("nobody")}/groups`)).status).toBe(404);
    expect(await names("/users?username=gus")).toEqual([]);
  });

  it("who were created for a test are people like the others, until a reset", async () => {
    await realm.order({ createUsers: { tam: ["viewer"] } });
    const [tam] = await list("/users?username=tam&exact=true");
    expect(tam).toMatchObject({ email: "tam@acme.test", enabled: true });
    expect((await names(`/users/${tam?.id}/role-mappings/realm`)).sort()).toEqual(["default-roles-sluice", "viewer"]);
    expect(await list(`/users/${tam?.id}/groups`)).toMatchObject([{ path: "/acme" }]);
    await realm.order({ reset: true });
    expect(await names("/users?username=tam")).toEqual([]);
  });

  it("have groups and roles", async () => {
    expect(await list(`/users/${idOf("uma")}/groups`)).toMatchObject([{ name: "acme", path: "/acme" }]);
    expect((await names(`/users/${idOf("uma")}/role-mappings/realm`)).sort()).toEqual(["default-roles-sluice", "user"]);
    expect((await names(`/users/${idOf("uma")}/role-mappings/realm/composite`)).sort()).toEqual(["default-roles-sluice", "offline_access", "uma_authorization", "user"]);
    await realm.order({ setRoles: { uma: ["viewer"] }, setGroups: { uma: ["/globex"] } });
    expect((await names(`/users/${idOf("uma")}/role-mappings/realm`)).sort()).toEqual(["default-roles-sluice", "viewer"]);
    expect(await list(`/users/${idOf("uma")}/groups`)).toMatchObject([{ path: "/globex" }]);
  });
});

describe("groups and roles", () => {
  it("list their members", async () => {
    const groups = await list("/groups");
    expect(groups.map((one) => one.path)).toEqual(["/acme", "/globex"]);
    expect(await names(`/groups/${groups[0]?.id}/members?first=0&max=2`)).toEqual(["ada", "dis"]);
    expect((await reader.get(`/groups/${fixedId("group/none")}/members`)).status).toBe(404);
    expect(await names("/roles/admin/users")).toEqual(["ada"]);
    expect((await names("/roles/viewer/users?first=0&max=100"))).toEqual(["vic"]);
    expect((await reader.get("/roles/none/users")).status).toBe(404);
  });
});

describe("the admin API refuses", () => {
  it("everything but reading", async () => {
    const uma = `/users/${idOf("uma")}`;
    const writes: [string, string, unknown?][] = [
      ["PUT", uma, { enabled: false }], ["DELETE", uma], ["POST", `${uma}/logout`], ["DELETE", `${uma}/consents/sluice-machine`], ["PUT", `${uma}/reset-password`, { type: "password", value: "x" }],
      ["POST", "/users", { username: "new" }], ["POST", `${uma}/role-mappings/realm`, []],
    ];
    for (const [method, path, body] of writes) expect([path, method, (await reader.send(method, path, body)).status]).toEqual([path, method, 403]);
    expect((await reader.get(uma)).body).toMatchObject({ enabled: true });
  });

  it("callers without a token, and people", async () => {
    expect((await reader.call("GET", "/users")).status).toBe(401);
    expect((await reader.call("GET", "/users", "nonsense")).status).toBe(401);
    for (const path of ["/users", `/users/${idOf("uma")}`]) expect((await reader.call("GET", path, (await party.byPassword("ada")).body.access_token)).status).toBe(403);
  });
});
