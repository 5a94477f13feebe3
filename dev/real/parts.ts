import type { RealParts } from "../stack";
import { startFlowiseFront } from "./flowise/front";
import { startRealFlowise } from "./flowise/flowise";
import { KeycloakAdmin } from "./keycloak/admin";
import { startKeycloakFront } from "./keycloak/front";
import type { RealKeycloak } from "./keycloak/keycloak";
import { freshRealm } from "./keycloak/realm";

const accessTokenSeconds = 60;

/** The demo's realm on a Keycloak that runs already, behind its front. */
export const identityOn = (keycloak: RealKeycloak): NonNullable<RealParts["identity"]> => async ({ sluiceUrl, ...secrets }) => {
  const admin = new KeycloakAdmin(keycloak.base, "sluice");
  await freshRealm(admin, {
    SLUICE_URL: sluiceUrl, SLUICE_BACKCHANNEL_URL: sluiceUrl, SLUICE_ACCESS_TOKEN_SECONDS: String(accessTokenSeconds), SLUICE_DEMO_PASSWORD: secrets.demoPassword,
    SLUICE_WEB_SECRET: secrets.webSecret, SLUICE_MACHINE_SECRET: secrets.machineSecret, SLUICE_DIRECT_SECRET: secrets.directSecret, SLUICE_SYNC_SECRET: secrets.syncSecret,
  });
  const front = await startKeycloakFront(admin, { accessTokenLifespan: accessTokenSeconds, demoPassword: secrets.demoPassword });
  admin.moveTo(front.origin);
  return { issuer: front.issuer, stop: front.close };
};

/** A real Flowise with the demo's flows, behind its front. */
export const realFlowise: NonNullable<RealParts["flowise"]> = async ({ dataDir, adminDatabaseUrl, say }) => {
  const flowise = await startRealFlowise({ dataDir, database: { adminUrl: adminDatabaseUrl, name: "flowise" }, say });
  const front = await startFlowiseFront(flowise.url);
  return { url: front.origin, serviceKey: flowise.serviceKey, stop: async () => { await front.close(); await flowise.stop(); } };
};
