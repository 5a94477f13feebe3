import { afterAll, afterEach, describe, expect, it } from "vitest";
import { fixedId } from "../../dev/identity/realm";
import { later, offline, partyOf, refusal } from "./party";
import { aProtocolRealm } from "./provider";
import { readerOf } from "./reader";

const realm = await aProtocolRealm();
const party = partyOf(realm);
const reader = readerOf(realm, party);
afterEach(() => realm.order({ reset: true }));
afterAll(() => realm.close());

const notActive = refusal(400, "invalid_grant", "Session not active");
const noOffline = refusal(400, "invalid_grant", "Offline user session not found");
const stale = refusal(400, "invalid_grant", "Stale token");

/** A browser's session, and in it an offline one. */
async function withGrant(username: string) {
  const web = await party.signIn(username);
  const machine = await party.signIn(username, { client: "sluice-machine", browser: web.browser, more: offline });
  return { web, machine, sid: String(web.claims.sid), browser: web.browser };
}

describe("an administrator's sign-out of a person", () => {
  it("ends online sessions and makes offline tokens stale, in every browser", async () => {
    const { web, machine, browser } = await withGrant("uma");
    const elsewhere = await party.signIn("uma");
    const direct = (await party.byPassword("uma", offline)).body;
    await later();
    await realm.order({ logoutUser: "uma" });
    for (const one of [web, elsewhere]) expect(await party.refresh("sluice-web", one.tokens.refresh_token)).toMatchObject(notActive);
    expect(await party.refresh("sluice-machine", machine.tokens.refresh_token)).toMatchObject(stale);
    expect(await party.refresh("sluice-direct", direct.refresh_token)).toMatchObject(stale);
    expect((await party.introspect("sluice-web", web.tokens.access_token)).body).toEqual({ active: false });
    expect((await party.introspect("sluice-machine", machine.tokens.access_token)).body).toEqual({ active: false });
    expect((await party.authorize("uma", { browser })).asked).toEqual(["name and password"]);
  });

  it("leaves other people alone, and the person may come back at once", async () => {
    const other = await party.signIn("ada");
    await realm.order({ logoutUser: "uma" });
    expect((await party.refresh("sluice-web", other.tokens.refresh_token)).status).toBe(200);
    await later();
    const back = await party.signIn("uma");
    expect((await party.refresh("sluice-web", back.tokens.refresh_token)).status).toBe(200);
    const granted = (await party.byPassword("uma", offline)).body;
    expect((await party.refresh("sluice-direct", granted.refresh_token)).status).toBe(200);
  });

  it("shows as notBefore where a person is read, and in every list but a brief one", async () => {
    expect((await reader.get(`/users/${fixedId("user/vic")}`)).body).toMatchObject({ notBefore: 0 });
    const before = Math.floor(Date.now() / 1000);
    await realm.order({ logoutUser: "vic" });
    const one = await reader.get(`/users/${fixedId("user/vic")}`);
    const { notBefore } = one.body as { notBefore: number };
    expect(notBefore).toBeGreaterThanOrEqual(before);
    expect(notBefore).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
    const shownIn = async (query: string) => ((await reader.get(`/users?username=vic&exact=true${query}`)).body as { notBefore?: number }[])[0]?.notBefore;
    expect([await shownIn(""), await shownIn("&briefRepresentation=false"), await shownIn("&briefRepresentation=true")]).toEqual([notBefore, notBefore, undefined]);
  });
});

describe("an administrator's end of one session", () => {
  it("ends the online one and leaves the offline one with the same sid, and other browsers", async () => {
    const { web, machine, sid } = await withGrant("uma");
    const elsewhere = await party.signIn("uma");
    await realm.order({ deleteSession: { sid } });
    expect(await party.refresh("sluice-web", web.tokens.refresh_token)).toMatchObject(notActive);
    expect((await party.refresh("sluice-machine", machine.tokens.refresh_token)).status).toBe(200);
    expect((await party.refresh("sluice-web", elsewhere.tokens.refresh_token)).status).toBe(200);
  });

  it("of the offline one ends both", async () => {
    const { web, machine, sid } = await withGrant("uma");
    await realm.order({ deleteSession: { sid, offline: true } });
    expect(await party.refresh("sluice-machine", machine.tokens.refresh_token)).toMatchObject(noOffline);
    expect(await party.refresh("sluice-web", web.tokens.refresh_token)).toMatchObject(notActive);
  });
});
