import { mkdtempSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { startKeycloak } from "../../dev/real/keycloak/keycloak";
import { providerKind } from "./provider";

declare module "vitest" {
  interface ProvidedContext {
    /** Origin of the real Keycloak; empty when the embedded provider is asked. */
    keycloak: string;
  }
}

/** One Keycloak for the whole run: the one that `SLUICE_KEYCLOAK` names, else one of our own. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const running = process.env.SLUICE_KEYCLOAK?.replace(/\/+$/, "");
  if (providerKind() === "embedded" || running) {
    project.provide("keycloak", running ?? "");
    return undefined;
  }
  const keycloak = await startKeycloak(mkdtempSync("/var/tmp/sluice-protocol-"), (line) => process.stdout.write(`${line}\n`));
  project.provide("keycloak", keycloak.base);
  return () => keycloak.stop();
}
