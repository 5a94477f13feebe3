import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Signer, startSigner } from "@/dev/testing/logout-tokens";
import { aPerson, contextOf } from "@/dev/testing/people";
import type { Person } from "@/lib/access";
import { createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { env, setEnv } from "@/lib/platform/env";
import { redisReady } from "@/lib/platform/redis";
import { markKeycloakSessionEnded } from "@/lib/sessions/marks";
import { newAccessToken } from "@/lib/tokens/access-token";
import { getDecision } from "@/lib/usage";
import { createApi } from "./app";

const api = createApi();
// A decision is kept by what Redis holds: the first one must not come before its connection.
beforeAll(() => redisReady());
afterEach(resetClock);

async function refused(path: string, init: RequestInit): Promise<string> {
  const requestId = randomUUID();
  const answer = await api.request(path, { ...init, headers: { ...init.headers, "x-request-id": requestId } });
  expect(answer.status).toBe(401);
  return requestId;
}
const calledWith = (token: string) => refused("/api/v1/auth/me", { headers: { authorization: `Bearer ${token}` } });
const exchanged = (path: string, body: object): [string, RequestInit] => [path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }];
const whyRefused = (person: Person, requestId: string) => getDecision(contextOf(person), requestId).then(({ code, apiKeyId }) => [code, apiKeyId], (error: { code: string }) => error.code);

async function aKeysTokens() {
  const person = await aPerson();
  const { key, secret } = await createKey(contextOf(person), CreateKeyInput.parse({ name: "k" }));
  const tokens = (await (await api.request(...exchanged("/api/v1/chat/authenticate", { api_key: secret }))).json()) as { access_token: string; refresh_token: string };
  return { person, key, ...tokens };
}

describe("the owner finds why a call was refused before any check", () => {
  it("a token that has expired; of one that was only made to look like it nobody is told", async () => {
    const { person, key, access_token: token } = await aKeysTokens();
    moveClock((env().TOKEN_ACCESS_TTL_SECONDS + 60) * 1000);
    expect(await whyRefused(person, await calledWith(token))).toEqual(["token_expired", key.id]);
    expect(await whyRefused(person, await calledWith(`${token.slice(0, -10)}AAAAAAAAAA`))).toBe("not_found");
  });

  it("a token whose session has ended", async () => {
    const person = await aPerson();
    const token = await newAccessToken({ person, permissions: 1, family: { id: randomUUID(), apiKeyId: null, chatflowIds: [], leansOn: { sessionId: "ended" } } });
    expect(await whyRefused(person, await calledWith(token))).toEqual(["invalid_credentials", undefined]);
  });

  it("a refresh token that was used before", async () => {
    const { person, key, refresh_token } = await aKeysTokens();
    await api.request(...exchanged("/api/v1/chat/refresh", { refresh_token }));
    expect(await whyRefused(person, await refused(...exchanged("/api/v1/chat/refresh", { refresh_token })))).toEqual(["invalid_credentials", key.id]);
  });

  describe("with Keycloak's token", () => {
    let signer: Signer;
    beforeAll(async () => {
      signer = await startSigner();
      setEnv({ ...env(), KEYCLOAK_ISSUER: signer.issuer });
    });
    afterAll(async () => {
      setEnv(undefined);
      await signer.close();
    });

    it("whose sign-in was ended", async () => {
      const person = await aPerson();
      const sid = randomUUID();
      const { KEYCLOAK_CLIENT_ID: own } = env();
      const token = await signer.sign(signer.claims({ typ: "Bearer", events: undefined, sub: person.sub, sid, azp: own, aud: [own], preferred_username: person.username, roles: ["user"] }), { typ: "JWT" });
      await markKeycloakSessionEnded(sid);
      expect(await whyRefused(person, await calledWith(token))).toEqual(["invalid_credentials", undefined]);
    });
  });
});
