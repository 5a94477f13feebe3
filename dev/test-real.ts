import { join } from "node:path";
import { build, generateClient } from "./build";
import { chromium, finish, folder, say, suite, suitesOnStack, vitest } from "./lanes";
import { findRedisServer } from "./lib/redis";
import { flowiseVersion, installFlowise } from "./real/flowise/install";
import { keycloakVersion } from "./real/keycloak/install";
import { startKeycloak } from "./real/keycloak/keycloak";
import { identityOn, realFlowise } from "./real/parts";

/** `npm run test:real`: the same suites against a real Keycloak and a real Flowise. Ends with the line `N passed, N failed`. */
finish(async () => {
  findRedisServer(say);
  const browser = chromium();
  generateClient();
  say(`real parts: Keycloak ${keycloakVersion}, Flowise ${flowiseVersion}; NFlow is not public software, so its stand-in stays`);
  const keycloak = await startKeycloak(join(folder, "keycloak"), say);
  try {
    const [protocol, operators] = [join(folder, "protocol.json"), join(folder, "operators.json")];
    await suite("protocol", vitest("vitest.protocol.config.ts", protocol), protocol, { SLUICE_PROTOCOL: "keycloak", SLUICE_KEYCLOAK: keycloak.base });
    await suite("operators", vitest("vitest.real.config.ts", operators), operators, { SLUICE_REAL_KEYCLOAK: keycloak.base });
    await installFlowise(say);
    await build(say);
    const storm = join(folder, "storm.json");
    await suite("storm", vitest("vitest.storm.config.ts", storm), storm);
    await suitesOnStack({ real: { identity: identityOn(keycloak), flowise: realFlowise } }, browser, { SLUICE_REAL: "keycloak,flowise", SLUICE_REAL_KEYCLOAK: keycloak.base });
  } finally {
    await keycloak.stop();
  }
});
