import { z } from "zod";
import { RealmOrder } from "../../identity/orders";
import { pause } from "../../lib/faults";
import { sendJson } from "../../lib/calls";
import { type Passing, startFront } from "../front";
import type { KeycloakAdmin } from "./admin";
import { RealmOrders } from "./orders";

/** The same orders as the embedded provider takes. Faults of the token endpoint are made here, the rest is carried out by Keycloak. */
const Control = z.strictObject({
  ...RealmOrder.shape,
  tokenDelayMs: z.int().min(0).optional(), tokenStatus: z.int().nullable().optional(), tokenError: z.string().nullable().optional(),
});

const secretFields = /^(client_secret|password|code|code_verifier|refresh_token|subject_token|token|access_token|id_token_hint|assertion)$/;

/** A counting proxy before Keycloak: calls of the token endpoint are kept, faults of it are made here, the rest is Keycloak's. */
export async function startKeycloakFront(admin: KeycloakAdmin, realmSettings: { accessTokenLifespan: number }): Promise<{ origin: string; issuer: string; close(): Promise<void> }> {
  const faults = { delayMs: 0, status: null as number | null, error: null as string | null };
  const isTokenEndpoint = ({ path }: Passing) => path === `/realms/${admin.realm}/protocol/openid-connect/token`;
  const orders = new RealmOrders(admin, { ...realmSettings, revokeRefreshToken: false, refreshTokenMaxReuse: 0 });

  const control = async (order: unknown): Promise<void> => {
    const { tokenDelayMs, tokenStatus, tokenError, ...wanted } = Control.parse(order);
    // The realm lives as long as the suite that meets it through this front.
    if (wanted.deleteUser) throw new Error("deleteUser is not offered here: nobody would bring the person back");
    if (wanted.reset) Object.assign(faults, { delayMs: 0, status: null, error: null });
    if (tokenDelayMs !== undefined) faults.delayMs = tokenDelayMs;
    if (tokenStatus !== undefined) faults.status = (tokenStatus ?? 0) >= 400 ? tokenStatus : null;
    if (tokenError !== undefined) faults.error = tokenError;
    await orders.carryOut(wanted);
  };

  const front = await startFront({
    target: admin.base,
    control,
    record: (passing) => (isTokenEndpoint(passing) ? masked(passing) : null),
    async before(passing) {
      if (!isTokenEndpoint(passing)) return false;
      await pause(faults.delayMs);
      if (faults.error !== null) {
        sendJson(passing.res, 400, { error: faults.error, error_description: "injected" });
        return true;
      }
      if (faults.status === null) return false;
      sendJson(passing.res, faults.status, { error: "injected" });
      return true;
    },
  });
  return { ...front, issuer: `${front.origin}/realms/${admin.realm}` };
}

function masked({ body, req }: Passing): unknown {
  if (typeof body !== "object" || body === null) return body;
  const basic = /^Basic (\S+)$/.exec(req.headers.authorization ?? "")?.[1];
  const clientId = basic ? decodeURIComponent(Buffer.from(basic, "base64").toString("utf8").split(":")[0] ?? "") : undefined;
  return { ...(clientId && { client_id: clientId }), ...Object.fromEntries(Object.entries(body).map(([field, value]) => [field, secretFields.test(field) ? "***" : (value as unknown)])) };
}
