import { join } from "node:path";
import { build, generateClient } from "./build";
import { checkFiles } from "./identity-checks";
import { bin, check, chromium, finish, folder, isAlone, say, suite, suitesOnStack, together, vitest, wanted } from "./lanes";
import { findRedisServer } from "./lib/redis";

/** `npm test`: everything, in the order in which a mistake shows soonest. Ends with the line `N passed, N failed`. */
finish(async () => {
  findRedisServer(say);
  const browser = chromium();
  generateClient();
  const unit = join(folder, "unit.json");
  const protocol = join(folder, "protocol.json");
  await together(
    async () => {
      await check("types", [...bin("typescript/bin/tsc"), "--noEmit", "-p", "."]);
      await check("lint", [...bin("eslint/bin/eslint.js"), ".", "--max-warnings", "0"]);
      await check("arrows", [...bin("dependency-cruiser/bin/dependency-cruise.mjs"), "--config", ".dependency-cruiser.cjs", "app", "lib", "ops", "server", "server.ts", "middleware.ts"]);
      await suite("protocol", vitest("vitest.protocol.config.ts", protocol), protocol, { SLUICE_PROTOCOL: "embedded" });
      if (isAlone("identity")) await suite("identity, by the protocol", vitest("vitest.protocol.config.ts", protocol, ...checkFiles("test/protocol")), protocol, { SLUICE_PROTOCOL: "embedded" });
    },
    async () => {
      await suite("unit", vitest("vitest.config.ts", unit), unit);
      if (isAlone("identity")) await suite("identity, in units", vitest("vitest.config.ts", unit, ...checkFiles("lib", "app", "dev")), unit);
    },
  );
  if (!["http", "identity", "e2e"].some(wanted)) return;
  await build(say);
  await suitesOnStack({ apart: true }, browser);
});
