import { afterAll, afterEach, describe, expect, it } from "vitest";
import { later, offline, partyOf, refusal, secretOf } from "./party";
import { aProtocolRealm } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterEach(() => realm.order({ reset: true }));
afterAll(() => realm.close());

const inactive = { active: false };
// The status is what RFC 7009 wants; the body tells all the same.
const nothingToRevoke = refusal(200, "invalid_token", "Invalid token");

describe("revoking a refresh token", () => {
  it.each([["the last", 1], ["a spent", 0]])("%s one, ends the client session for all its tokens", async (_, which) => {
    await realm.order({ revokeRefreshToken: true });
    const { tokens } = await party.signIn("uma");
    await later();
    const next = await party.refresh("sluice-web", tokens.refresh_token);
    const chain = [tokens.refresh_token, next.body.refresh_token];
    expect(await party.revoke("sluice-web", chain[which])).toEqual({ status: 200, body: {} });
    expect(await party.refresh("sluice-web", next.body.refresh_token)).toMatchObject(refusal(400, "invalid_grant"));
    for (const token of [tokens.access_token, next.body.access_token]) expect((await party.introspect("sluice-web", token)).body).toEqual(inactive);
  });

  it("ends other sign-ins of the same browser at this client", async () => {
    const one = await party.signIn("uma");
    const two = await party.signIn("uma", { browser: one.browser });
    await party.revoke("sluice-web", one.tokens.refresh_token);
    expect((await party.refresh("sluice-web", two.tokens.refresh_token)).status).toBe(400);
  });

  it("of a session's only client signs the browser out; while another client is in it, it stays", async () => {
    const alone = await party.signIn("uma");
    await party.revoke("sluice-web", alone.tokens.refresh_token);
    expect(await party.refresh("sluice-web", alone.tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Session not active"));
    expect((await party.authorize("uma", { browser: alone.browser })).asked).toEqual(["name and password"]);

    const shared = await party.signIn("uma");
    await party.signIn("uma", { client: "sluice-machine", browser: shared.browser, more: offline });
    await party.revoke("sluice-web", shared.tokens.refresh_token);
    expect(await party.refresh("sluice-web", shared.tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Session doesn't have required client"));
    expect((await party.authorize("uma", { browser: shared.browser })).asked).toEqual([]);
  });

  it("of the browser leaves the offline session with the same sid alone, and the other way round", async () => {
    const web = await party.signIn("uma");
    const machine = await party.signIn("uma", { client: "sluice-machine", browser: web.browser, more: offline });
    await party.revoke("sluice-machine", machine.tokens.refresh_token);
    expect(await party.refresh("sluice-machine", machine.tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Offline user session not found"));
    expect((await party.refresh("sluice-web", web.tokens.refresh_token)).status).toBe(200);

    const again = await party.signIn("uma", { client: "sluice-machine", browser: web.browser, more: offline });
    await party.revoke("sluice-web", web.tokens.refresh_token);
    expect((await party.refresh("sluice-machine", again.tokens.refresh_token)).status).toBe(200);
  });

  it("twice is as good as once", async () => {
    const { tokens } = await party.signIn("uma");
    expect(await party.revoke("sluice-web", tokens.refresh_token)).toEqual({ status: 200, body: {} });
    expect(await party.revoke("sluice-web", tokens.refresh_token)).toMatchObject(nothingToRevoke);
  });
});

it("revoking an access token ends that one alone", async () => {
  const { tokens } = await party.signIn("uma");
  const next = await party.refresh("sluice-web", tokens.refresh_token);
  expect(await party.revoke("sluice-web", tokens.access_token)).toEqual({ status: 200, body: {} });
  expect((await party.introspect("sluice-web", tokens.access_token)).body).toEqual(inactive);
  expect((await party.userinfo(tokens.access_token)).status).toBe(401);
  expect((await party.userinfo(next.body.access_token)).status).toBe(200);
  expect((await party.refresh("sluice-web", next.body.refresh_token)).status).toBe(200);
});

it("nobody revokes another client's token, and a token nobody knows is no mistake", async () => {
  const { tokens } = await party.signIn("uma");
  expect(await party.revoke("sluice-machine", tokens.refresh_token)).toMatchObject(refusal(400, "invalid_request", "Unmatching clients"));
  expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
  expect(await party.revoke("sluice-web", "nonsense")).toMatchObject(nothingToRevoke);
  expect(await party.post("revoke", secretOf("sluice-web"))).toMatchObject(refusal(400, "invalid_request", "Token not provided"));
});

describe("introspection", () => {
  it("tells a living token's claims to a client it is meant for, and to no other", async () => {
    const { tokens, claims } = await party.signIn("uma");
    const { status, body } = await party.introspect("sluice-web", tokens.access_token);
    expect(status).toBe(200);
    expect(body).toMatchObject({ active: true, sub: claims.sub, sid: claims.sid, azp: "sluice-web", client_id: "sluice-web", username: "uma", roles: ["user"], token_type: "Bearer", exp: claims.exp });
    expect((await party.introspect("sluice-machine", tokens.access_token)).body).toEqual(inactive);
    const narrowed = await party.exchange("sluice-web", tokens.access_token, "nflow");
    expect((await party.introspect("sluice-web", narrowed.body.access_token)).body).toEqual(inactive);
  });

  it("calls refresh tokens, living or not, and nonsense inactive", async () => {
    const { tokens } = await party.signIn("uma");
    const machine = await party.signIn("uma", { client: "sluice-machine", more: offline });
    for (const [client, token] of [["sluice-web", tokens.refresh_token], ["sluice-machine", machine.tokens.refresh_token], ["sluice-web", "nonsense"]] as const) {
      expect((await party.introspect(client, token)).body).toEqual(inactive);
    }
    expect(await party.post("token/introspect", secretOf("sluice-web"))).toMatchObject(refusal(400, "invalid_request"));
  });
});
