import { z } from "zod";
import { RealmOrder } from "../../identity/orders";
import { people } from "../../identity/realm";
import { type Fate, faultOrder, Faults } from "../../identity/faults";
import { parseBody, sendJson } from "../../lib/calls";
import { type Passing, startFront } from "../front";
import type { KeycloakAdmin } from "./admin";
import { RealmOrders } from "./orders";

/** The same orders as the embedded provider takes. Faults of the token endpoint are made here, the rest is carried out by Keycloak. */
const Control = z.strictObject({ ...RealmOrder.shape, ...faultOrder });

const secretFields = /^(client_secret|password|code|code_verifier|refresh_token|subject_token|token|access_token|id_token_hint|assertion)$/;

/** A counting proxy before Keycloak: calls of the token endpoint are kept, faults of it are made here, the rest is Keycloak's. */
export async function startKeycloakFront(admin: KeycloakAdmin, realmSettings: { accessTokenLifespan: number; demoPassword: string }): Promise<{ origin: string; issuer: string; close(): Promise<void> }> {
  const faults = new Faults();
  const passed = new WeakMap<Passing, Fate & { kind: "passed" }>();
  const isTokenEndpoint = ({ path }: Passing) => path === `/realms/${admin.realm}/protocol/openid-connect/token`;
  const isKept = ({ path }: Passing) => path.startsWith(`/admin/realms/${admin.realm}/`) || path === `/realms/${admin.realm}/protocol/openid-connect/certs`;
  const orders = new RealmOrders(admin, { ...realmSettings, revokeRefreshToken: false, refreshTokenMaxReuse: 0, bruteForceProtected: true });

  const control = async (order: unknown): Promise<void> => {
    const wanted = Control.parse(order);
    // The realm lives as long as the suite that meets it through this front.
    if (people.some(({ username }) => username === wanted.deleteUser)) throw new Error(`${wanted.deleteUser} is needed by other tests, and nobody would bring them back: create somebody to be deleted`);
    if (wanted.reset) faults.reset();
    faults.apply(wanted);
    await orders.carryOut(wanted);
  };

  const front = await startFront({
    target: admin.base,
    control,
    record: (passing) => (isTokenEndpoint(passing) ? masked(passing) : isKept(passing) ? {} : null),
    async before(passing) {
      if (!isTokenEndpoint(passing)) return false;
      const fate = await faults.meet(grantTypeOf(passing), passing.res);
      if (fate.kind === "lost") passing.res.destroy();
      else if (fate.kind === "instead") {
        for (const [name, value] of Object.entries(fate.answer.headers)) passing.res.setHeader(name, value);
        sendJson(passing.res, fate.answer.status, fate.answer.body);
      } else passed.set(passing, fate);
      return fate.kind !== "passed";
    },
    whole: (passing) => {
      const fate = passed.get(passing);
      return fate && (async (status, headers, body) => {
        if (passing.call) passing.call.carriedOut = status;
        await fate.hold();
        if (fate.loseAnswer) return void passing.res.destroy();
        const { "content-length": _length, "transfer-encoding": _encoding, ...kept } = headers;
        for (const [name, value] of Object.entries(kept)) if (value !== undefined) passing.res.setHeader(name, value);
        sendJson(passing.res, status, faults.rewritten(parseBody(body, headers["content-type"])));
      });
    },
  });
  return { ...front, issuer: `${front.origin}/realms/${admin.realm}` };
}

function grantTypeOf({ body }: Passing): string | undefined {
  return typeof body === "object" && body !== null && "grant_type" in body && typeof body.grant_type === "string" ? body.grant_type : undefined;
}

function masked({ body, req }: Passing): unknown {
  if (typeof body !== "object" || body === null) return body;
  const basic = /^Basic (\S+)$/.exec(req.headers.authorization ?? "")?.[1];
  const clientId = basic ? decodeURIComponent(Buffer.from(basic, "base64").toString("utf8").split(":")[0] ?? "") : undefined;
  return { ...(clientId && { client_id: clientId }), ...Object.fromEntries(Object.entries(body).map(([field, value]) => [field, secretFields.test(field) ? "***" : (value as unknown)])) };
}
