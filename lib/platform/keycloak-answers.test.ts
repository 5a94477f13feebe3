import { createServer } from "node:http";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { listenOnLoopback } from "@/dev/lib/calls";
import { setEnv } from "./env";
import { exchangeToken, forgetKeycloak, requestToken } from "./keycloak";
import { logger } from "./logger";
import { withRedis } from "./redis";

/** What the token endpoint answers next. */
let next = { status: 400, error: "", error_description: "" };
let issuer = "";
const server = createServer((req, res) => {
  const names = ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint", "end_session_endpoint"];
  const { status, ...said } = next;
  if (!req.url?.endsWith("/openid-configuration")) res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
  else res.end(JSON.stringify({ issuer, ...Object.fromEntries(names.map((name) => [name, `${issuer}/${name}`])) }));
});
beforeAll(async () => {
  issuer = `http://localhost:${await listenOnLoopback(server)}/realms/answers`;
  process.env.KEYCLOAK_ISSUER = issuer;
  setEnv(undefined);
  forgetKeycloak();
  await withRedis((client) => client.del("sl:idp:refused:web"));
});
afterAll(() => server.close());

const tooLarge = "The size of OIDC parameter 'subject_token' is longer than allowed";
const exchange = () => exchangeToken("web", "a-token", "nflow");
const password = () => requestToken("web", { grant_type: "password", username: "uma", password: "x" });

it.each([
  { what: "a token too large to exchange", call: exchange, answer: { status: 400, error: "invalid_request", error_description: tooLarge }, words: /too large.*admin/i },
  { what: "one session too many", call: password, answer: { status: 403, error: "There are too many sessions", error_description: "" }, words: /account/ },
])("$what is told to that person, and raises no alarm about the realm", async ({ call, answer, words }) => {
  const alarm = vi.spyOn(logger, "error");
  next = answer;
  for (let i = 0; i < 4; i++) await expect(call()).rejects.toMatchObject({ kind: "personal", code: "upstream_forbidden", detail: expect.stringMatching(words) as unknown });
  expect(alarm).not.toHaveBeenCalled();
  alarm.mockRestore();
});

it.each(["invalid_client", "unauthorized_client", "invalid_request"])("%s says that our client is set up wrongly", async (error) => {
  next = { status: 400, error, error_description: "" };
  await expect(password()).rejects.toMatchObject({ kind: "misconfigured", code: "identity_unavailable" });
});
