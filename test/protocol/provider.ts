import { inject } from "vitest";
import { z } from "zod";
import { RealmOrder } from "../../dev/identity/orders";
import { startIdentity } from "../../dev/identity/server";
import { KeycloakAdmin } from "../../dev/real/keycloak/admin";
import { RealmOrders } from "../../dev/real/keycloak/orders";
import { freshRealm } from "../../dev/real/keycloak/realm";

export type RealmSettings = {
  accessTokenSeconds?: number;
  revokeRefreshToken?: boolean;
  refreshTokenMaxReuse?: number;
  /** Origin that hears of sign-outs; nobody listens there by default. */
  backchannelUrl?: string;
};

/** A realm with everybody in it and no settings turned, on whichever provider is being asked. */
export type ProtocolRealm = {
  issuer: string;
  /** Of the provider: the admin API is below it. */
  origin: string;
  /** What only an administrator can do. `reset: true` undoes all but deletions and sign-outs. */
  order(wanted: RealmOrder): Promise<void>;
  close(): Promise<void>;
};

export const sluiceUrl = "http://localhost:3999";
export const password = "correct horse battery";
/** Files sign one person in several times at once, which a protected realm refuses. */
const bruteForceProtected = false;

// Nobody listens on the discard port.
const nobody = "http://localhost:9";

export function providerKind(): "embedded" | "keycloak" {
  return z.enum(["embedded", "keycloak"]).default("embedded").parse(process.env.SLUICE_PROTOCOL);
}

export function aProtocolRealm(settings: RealmSettings = {}): Promise<ProtocolRealm> {
  return providerKind() === "embedded" ? embedded(settings) : keycloak(settings);
}

async function embedded({ backchannelUrl = nobody, ...settings }: RealmSettings): Promise<ProtocolRealm> {
  const { issuer, origin, close } = await startIdentity({ sluiceUrl, backchannelUrl, demoPassword: password, bruteForceProtected, ...settings });
  return {
    issuer, origin, close,
    async order(wanted) {
      const answer = await fetch(`${origin}/__control`, { method: "POST", body: JSON.stringify(wanted) });
      if (!answer.ok) throw new Error(`control: ${answer.status} ${await answer.text()}`);
    },
  };
}

/** The settings of the realm as it stands at the real Keycloak; undefined: it is used up. Making one takes seconds. */
let standing: string | undefined;

async function keycloak({ accessTokenSeconds = 60, revokeRefreshToken = false, refreshTokenMaxReuse = 0, backchannelUrl = nobody }: RealmSettings): Promise<ProtocolRealm> {
  const origin = inject("keycloak");
  const admin = new KeycloakAdmin(origin, "sluice");
  const wantedRealm = JSON.stringify({ origin, accessTokenSeconds, revokeRefreshToken, refreshTokenMaxReuse, backchannelUrl });
  if (standing !== wantedRealm) {
    await freshRealm(admin, {
      SLUICE_URL: sluiceUrl, SLUICE_BACKCHANNEL_URL: backchannelUrl, SLUICE_DEMO_PASSWORD: password, SLUICE_ACCESS_TOKEN_SECONDS: String(accessTokenSeconds),
      SLUICE_REVOKE_REFRESH: String(revokeRefreshToken), SLUICE_REFRESH_REUSE: String(refreshTokenMaxReuse),
    });
    await admin.call("PUT", `/${admin.realm}`, { bruteForceProtected });
    standing = wantedRealm;
  }
  const orders = new RealmOrders(admin, { accessTokenLifespan: accessTokenSeconds, revokeRefreshToken, refreshTokenMaxReuse, bruteForceProtected, demoPassword: password });
  return {
    issuer: `${origin}/realms/sluice`, origin,
    async order(wanted) {
      // Nobody brings a deleted person back, nor the time before which somebody's tokens do not count.
      if (wanted.deleteUser || wanted.logoutUser) standing = undefined;
      await orders.carryOut(wanted);
    },
    close: async () => undefined,
  };
}
