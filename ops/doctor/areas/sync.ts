import { decodeJwt } from "jose";
import { z } from "zod";
import { type Area, Blocked, failed, notApplicable, once, passed, type Verdict } from "../check";
import type { Doctor } from "../doctor";
import { basic, call } from "../http";
import { isUnauthenticated } from "./clients";
import { type Discovery, judgeClock } from "./issuer";

const Token = z.object({ access_token: z.string() });
const Management = z.object({ "realm-management": z.object({ roles: z.array(z.string()) }) });
const setup = "npm run keycloak:setup";
/** `view-users`, and what it is made of. */
const needed = ["view-users", "query-users", "query-groups"];

/** The service account that reads people. */
export function syncArea({ env, sync }: Doctor, discovery: (signal: AbortSignal) => Promise<Discovery>): Area {
  const name = "user sync";
  if (!sync) return { name, checks: [{ name: "service account", cure: "", run: async () => notApplicable("KEYCLOAK_SYNC_CLIENT_ID and its secret are not set: accounts that Keycloak disables are noticed at the next refresh of a session or of machine access") }] };
  let receivedAt = NaN;
  const token = once("the service account's token", async () => {
    const signal = AbortSignal.timeout(5000);
    const answer = await call((await discovery(signal)).token_endpoint, { signal, method: "POST", headers: basic(sync), form: { grant_type: "client_credentials" } });
    const found = Token.safeParse(answer.json);
    if (!found.success && isUnauthenticated(answer)) throw new Blocked(`needs ${sync.id} to authenticate, see above`);
    if (!found.success) throw new Error(`the token endpoint answers ${answer.status}`);
    receivedAt = Date.now();
    return found.data.access_token;
  });
  const users = env.KEYCLOAK_ISSUER.replace(/\/realms\/([^/]+)$/, "/admin/realms/$1/users?max=1&briefRepresentation=true");
  const ask = async (signal: AbortSignal, url: string) => call(url, { signal, headers: { authorization: `Bearer ${await token()}` } });
  return {
    name,
    checks: [
      { name: "service account", cure: `see that ${sync.id} has its service account on and the right secret: ${setup}`, run: async () => (await token(), passed(sync.id)) },
      { name: "clocks agree", cure: setup, run: async () => judgeClock(Number(decodeJwt(await token()).iat) * 1000, receivedAt) },
      { name: "reads people", cure: "see that Keycloak's admin API answers from here", run: async (signal) => judgeReading(await ask(signal, users)) },
      { name: "may do nothing more", cure: setup, run: async () => judgeRights(Management.safeParse(decodeJwt(await token()).resource_access).data?.["realm-management"].roles ?? null) },
    ],
  };
}

function judgeReading({ status, json }: { status: number; json: unknown }): Verdict {
  if (status === 200 && Array.isArray(json)) return passed("GET /users answers");
  if (status === 403) return failed("403", `give its service account the role view-users of realm-management, and put that role into the client's scope: ${setup}`);
  return failed(`the admin API answers ${status}`, "see that Keycloak's admin API can be reached at the issuer's address, or let the proxy pass /admin/realms from here");
}

/** Its secret lies in our environment: whoever reads that must not be able to change a realm. */
export function judgeRights(roles: string[] | null): Verdict {
  if (!roles) return notApplicable("the token does not tell its roles");
  const more = roles.filter((role) => !needed.includes(role));
  const dangerous = more.filter((role) => !/^(view|query)-/.test(role));
  if (dangerous.length > 0) return failed(`it also has ${dangerous.join(", ")}`, "take these roles of realm-management from its service account: view-users is enough");
  return more.length > 0 ? passed("it only reads", `it also has ${more.join(", ")}, which it may not need`) : passed("view-users alone");
}
