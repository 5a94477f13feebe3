import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { BadRequest, CallLog, listenOnLoopback, pathOf, sendJson } from "../lib/calls";
import { answerAccount } from "./account";
import { adminPath, answerAdmin } from "./admin";
import { answerControl } from "./control";
import { Directory } from "./directory";
import { answerIntrospection, answerRevocation, answerUserinfo } from "./endpoints";
import { Faults } from "./faults";
import { answerInteraction } from "./interactions";
import { answerLogout } from "./logout";
import { browserSession, makeProvider, realmPath, routes, translateRequest } from "./provider";
import { type IdentityOptions, realmClients } from "./realm";
import { Sessions } from "./sessions";
import { SignOut } from "./sign-out";
import { State } from "./state";
import { answerToken } from "./token-endpoint";
import { keySet, type Realm, Tokens } from "./tokens";

export type { IdentityOptions } from "./realm";

export type Identity = { issuer: string; origin: string; close(): Promise<void> };

/** Starts the realm on loopback. `close` ends open connections and writes the state file a last time. */
export async function startIdentity(options: IdentityOptions): Promise<Identity> {
  const state = await State.open(options.stateFile);
  let handle: (req: IncomingMessage, res: ServerResponse) => Promise<void> = async (_req, res) => sendJson(res, 503, { error: "starting" });
  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => fail(res, error));
  });
  const port = await listen(server, options.port ?? 0, state.data.port);
  state.data.port = port;
  state.flush();

  const origin = `http://localhost:${port}`;
  const realm = openRealm(`${origin}${realmPath}`, options, state);
  handle = makeHandler(realm);
  return {
    issuer: realm.issuer,
    origin,
    async close() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
      state.flush();
    },
  };
}

/** The port of the last run is part of the issuer's name: keep it while nobody else has it. */
async function listen(server: Server, wanted: number, last: number): Promise<number> {
  if (wanted !== 0 || last === 0) return listenOnLoopback(server, wanted);
  try {
    return await listenOnLoopback(server, last);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return listenOnLoopback(server, 0);
  }
}

function openRealm(issuer: string, options: IdentityOptions, state: State): Realm {
  const settings = {
    accessTokenSeconds: options.accessTokenSeconds ?? 60,
    revokeRefreshToken: options.revokeRefreshToken ?? false,
    refreshTokenMaxReuse: options.refreshTokenMaxReuse ?? 0,
    bruteForceProtected: options.bruteForceProtected ?? true,
    offlineMaxLimited: true,
    backchannelSessionRequired: true,
    backchannelRevokeOffline: false,
  };
  return { issuer, state, settings, clients: realmClients(options), directory: new Directory(state, options.demoPassword), sessions: new Sessions(state, settings) };
}

function makeHandler(realm: Realm): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const tokens = new Tokens(realm);
  const parts = { realm, tokens, signOut: new SignOut(realm, tokens), provider: makeProvider(realm), faults: new Faults(), calls: new CallLog(), initial: { ...realm.settings } };
  const callback = parts.provider.callback();
  const byMethod: Record<string, (req: IncomingMessage, res: ServerResponse) => Promise<void>> = {
    [`POST ${routes.token}`]: (req, res) => answerToken(req, res, parts),
    [`GET ${routes.userinfo}`]: (req, res) => answerUserinfo(req, res, parts),
    [`POST ${routes.userinfo}`]: (req, res) => answerUserinfo(req, res, parts),
    [`POST ${routes.introspection}`]: (req, res) => answerIntrospection(req, res, parts),
    [`POST ${routes.revocation}`]: (req, res) => answerRevocation(req, res, parts),
    [`GET ${routes.jwks}`]: async (_req, res) => sendJson(res, 200, keySet(realm.state)),
    [`GET ${routes.end_session}`]: (req, res) => answerLogout(req, res, parts),
    [`POST ${routes.end_session}`]: (req, res) => answerLogout(req, res, parts),
  };

  return async (req, res) => {
    const path = pathOf(req);
    if (parts.calls.handle(req, res)) return;
    if (path === "/__control") return answerControl(req, res, parts);
    if (isKept(path)) {
      const call = parts.calls.record(req, res, {});
      if (call.headers.authorization) call.headers.authorization = "***";
    }
    if (path === adminPath || path.startsWith(`${adminPath}/`)) return answerAdmin(req, res, parts);
    if (!path.startsWith(`${realmPath}/`)) return sendJson(res, 404, { error: "Unable to find matching target resource method" });

    const below = path.slice(realmPath.length);
    const own = byMethod[`${req.method} ${below}`];
    if (own) return own(req, res);
    if (below.startsWith("/login-actions/")) return answerInteraction(req, res, parts);
    if (below === "/account" || below.startsWith("/account/")) return answerAccount(req, res, parts);
    // Looking the session up drops it when it is over, before oidc-provider takes the cookie at its word.
    const isRequest = below === routes.authorization;
    if (isRequest) await browserSession(parts.provider, realm, req, res);
    return callback(mounted(req, isRequest ? translateRequest(req.url ?? "/") : (req.url ?? "/")), res);
  };
}

/** What a portal should ask for seldom: whoever counts the calls counts these too. */
const isKept = (path: string) => path.startsWith(`${adminPath}/`) || path === `${realmPath}${routes.jwks}`;

/** oidc-provider is mounted below the realm's path: it wants the rest as `url`, and the whole as `originalUrl`. */
function mounted(req: IncomingMessage, whole: string): IncomingMessage {
  return Object.assign(req, { originalUrl: whole, url: whole.slice(realmPath.length) });
}

function fail(res: ServerResponse, error: unknown): void {
  if (error instanceof BadRequest) return sendJson(res, error.status, { error: error.message });
  console.error("identity:", error);
  sendJson(res, 500, { error: "server_error" });
}
