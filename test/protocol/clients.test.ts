import { afterAll, describe, expect, it } from "vitest";
import { partyOf, refusal, secretOf } from "./party";
import { aProtocolRealm } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterAll(() => realm.close());

const fields = { grant_type: "refresh_token", refresh_token: "any", token: "any" };
const words = "Invalid client or Invalid client credentials";
const badSecret = refusal(401, "unauthorized_client", words);
const unknown = refusal(401, "invalid_client", words);

// Introspection has words of its own for a bad secret.
describe.each([["token", badSecret], ["revoke", badSecret], ["token/introspect", refusal(401, "invalid_client", "Client authentication failed.")]])("at /%s", (endpoint, refused) => {
  it("a client with a wrong secret or none is told so", async () => {
    expect(await party.post(endpoint, { ...fields, client_id: "sluice-web", client_secret: "wrong" })).toMatchObject(refused);
    expect(await party.post(endpoint, { ...fields, client_id: "sluice-web" })).toMatchObject(refused);
  });

  it("a client nobody knows, and a call of no client, are invalid_client", async () => {
    expect(await party.post(endpoint, { ...fields, client_id: "nobody", client_secret: "x" })).toMatchObject(unknown);
    expect(await party.post(endpoint, fields)).toMatchObject(unknown);
  });
});

it("the secret is taken by HTTP Basic too, and is as wrong there", async () => {
  const { tokens } = await party.signIn("uma");
  const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(`sluice-web:${secret}`).toString("base64")}` });
  const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token };
  expect((await party.post("token", form, basic("sluice-web-secret"))).status).toBe(200);
  expect(await party.post("token", form, basic("wrong"))).toMatchObject(refusal(401, "unauthorized_client", words));
});

it("a refresh token is worth nothing to another client", async () => {
  const { tokens } = await party.signIn("uma");
  expect(await party.refresh("sluice-machine", tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Invalid refresh token. Token client and authorized client don't match"));
  expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
});

it("a token request says what is missing in it", async () => {
  expect(await party.post("token", secretOf("sluice-web"))).toMatchObject(refusal(400, "invalid_request", "Missing form parameter: grant_type"));
  expect(await party.token("sluice-web", { grant_type: "telepathy" })).toMatchObject(refusal(400, "unsupported_grant_type", "Unsupported grant_type"));
  expect(await party.token("sluice-web", { grant_type: "refresh_token" })).toMatchObject(refusal(400, "invalid_request", "No refresh token"));
  expect(await party.token("sluice-web", { grant_type: "authorization_code" })).toMatchObject(refusal(400, "invalid_request", "Missing parameter: code"));
  expect(await party.refresh("sluice-web", "nonsense")).toMatchObject(refusal(400, "invalid_grant", "Invalid refresh token"));
});

it("no client is given a grant it was not made for", async () => {
  expect(await party.token("sluice-web", { grant_type: "password", username: "uma", password: "x" })).toMatchObject(refusal(400, "unauthorized_client", "Client not allowed for direct access grants"));
  expect(await party.token("sluice-web", { grant_type: "client_credentials" })).toMatchObject(refusal(401, "unauthorized_client", "Client not enabled to retrieve service account"));
  expect(await party.token("sluice-direct", { grant_type: "authorization_code", code: "x" })).toMatchObject(refusal(400, "invalid_grant", "Code not valid"));
});
