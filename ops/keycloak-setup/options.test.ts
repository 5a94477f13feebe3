import { expect, it } from "vitest";
import { readOptions, SetupError } from "./options";

const settings = { AUTH_URL: "https://sluice.test/", KEYCLOAK_ISSUER: "https://id.test/auth/realms/acme%20corp" };

it("finds the realm and the admin API in the issuer's address", () => {
  expect(readOptions([], settings)).toMatchObject({ authUrl: "https://sluice.test", realm: "acme corp", adminUrl: "https://id.test/auth", apply: false, tenants: "groups", direct: false, audiences: ["nflow", "flowise"] });
  expect(readOptions([], { ...settings, KEYCLOAK_ADMIN_URL: "https://inner.test" }).adminUrl).toBe("https://inner.test");
});

it.each([
  [["--tenants", "rooms"], {}, /--tenants must be/],
  [["--password", "x"], {}, /--password/],
  [[], { AUTH_URL: undefined }, /AUTH_URL is missing/],
  [[], { AUTH_URL: "http://sluice.test" }, /AUTH_URL must be https/],
  [[], { KEYCLOAK_ISSUER: "https://id.test" }, /KEYCLOAK_ISSUER must end in \/realms/],
  [[], { KEYCLOAK_MACHINE_CLIENT_ID: "sluice-web" }, /different names/],
  [[], { NFLOW_AUDIENCE: "sluice-web" }, /different names/],
])("refuses %j with %j", (args, more, words) => {
  const read = () => readOptions(args, { ...settings, ...more });
  expect(read).toThrow(SetupError);
  expect(read).toThrow(words);
});
