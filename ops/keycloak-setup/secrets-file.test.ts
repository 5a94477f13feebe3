import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { originsOf, secretsFor } from "./secrets-file";
import type { Deed, Step } from "./step";

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "sluice-secrets-")); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const web: Deed & { do: "create-client" } = { do: "create-client", clientId: "portal", representation: {}, secretOf: "web" };
const steps: Step[] = [{ verdict: "create", what: "client portal", changes: [], deeds: [web] }];

it("a fresh secret of 256 bits goes to a new file that only its owner reads", () => {
  const file = join(folder, "out.env");
  const secrets = secretsFor(steps, { secrets: {}, secretsOut: file });
  const secret = secrets.secretFor(web) ?? "";
  secrets.keep(web, secret);
  secrets.close();
  expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  expect(readFileSync(file, "utf8")).toBe(`KEYCLOAK_CLIENT_ID=portal\nKEYCLOAK_CLIENT_SECRET=${secret}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("another run's secrets are not overwritten, and without a file nothing begins", () => {
  const file = join(folder, "out.env");
  writeFileSync(file, "earlier");
  expect(() => secretsFor(steps, { secrets: {}, secretsOut: file })).toThrow(/exists already/);
  expect(readFileSync(file, "utf8")).toBe("earlier");
  expect(() => secretsFor(steps, { secrets: {}, secretsOut: null })).toThrow(/--secrets-out/);
});

it("a secret that the operator chose is used and written nowhere", () => {
  const file = join(folder, "out.env");
  const secrets = secretsFor(steps, { secrets: { web: "chosen-before" }, secretsOut: file });
  expect(secrets.secretFor(web)).toBe("chosen-before");
  secrets.keep(web, "chosen-before");
  secrets.close();
  expect(existsSync(file)).toBe(false);
});

it("a run that failed before its first client leaves no empty file", () => {
  const file = join(folder, "out.env");
  secretsFor(steps, { secrets: {}, secretsOut: file }).close();
  expect(existsSync(file)).toBe(false);
});

it("each new client's secret is told where it came from, and what to do with a new one", () => {
  expect(originsOf(steps, { secrets: { web: "chosen-before" }, secretsOut: null })).toEqual(["  KEYCLOAK_CLIENT_SECRET: as you set it"]);
  expect(originsOf(steps, { secrets: {}, secretsOut: "out.env" })).toEqual(["  KEYCLOAK_CLIENT_SECRET: new, in out.env", expect.stringContaining("in the place of the same names in .env")]);
  expect(originsOf([], { secrets: {}, secretsOut: "out.env" })).toEqual([]);
});
