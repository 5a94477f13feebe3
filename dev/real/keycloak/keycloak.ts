import { cpSync, mkdirSync, rmSync } from "node:fs";
import { installKeycloak, javaHome, keycloakVersion } from "./install";
import { launch, type Launched } from "./launch";

export type RealKeycloak = Launched & { version: string };

/** A real Keycloak with an empty set of realms, its files in `dataDir`; installed into the cache when it is missing. */
export async function startKeycloak(dataDir: string, say: (line: string) => void, options: { port?: number } = {}): Promise<RealKeycloak> {
  const { home, template } = await installKeycloak(say);
  mkdirSync(dataDir, { recursive: true });
  cpSync(template, dataDir, { recursive: true });
  say(`starting Keycloak ${keycloakVersion}`);
  const running = await launch({ home, dataDir, javaHome: javaHome(say), ...options });
  return {
    ...running, version: keycloakVersion,
    async stop() {
      await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
