import { describe, expect, it } from "vitest";
import { readImportFile } from "./import-file";

const sha = "a".repeat(64);

describe("a file of keys to import", () => {
  it("CSV with quotes, commas and line ends inside them, lists, limits and empty cells", () => {
    const { keys, problems } = readImportFile(`\uFEFFsha256,name,user,permissions,rateLimit,allowedIps,description\r\n${sha},"Nightly, ""big""\nreport",uma,read ai:predict,10/60,10.0.0.0/8;::1,\r\n\r\n${"b".repeat(64)},plain,gus,read,,,x`, "acme");
    expect(problems).toEqual([]);
    expect(keys).toMatchObject([
      { line: 2, key: { sha256: sha, name: 'Nightly, "big"\nreport', tenant: "acme", user: "uma", rateLimit: { requests: 10, window: 60 }, allowedIps: ["10.0.0.0/8", "::1/128"] } },
      { line: 5, key: { name: "plain", user: "gus", rateLimit: { requests: 1000, window: 3600 }, description: "x" } },
    ]);
    expect(keys[0]?.key.permissions).toContain("ai:predict");
  });

  it("JSON as a list or under keys, with a tenant of its own where a line names one", () => {
    const key = { sha256: sha, name: "k", permissions: ["read"], user: "uma" };
    for (const text of [JSON.stringify([key, { ...key, tenant: "globex" }]), ` ${JSON.stringify({ keys: [key, { ...key, tenant: "globex" }] })}`]) expect(readImportFile(text, "acme").keys.map(({ key: k }) => k.tenant)).toEqual(["acme", "globex"]);
  });

  it("every fault is told with its line", () => {
    expect(readImportFile(`sha256,name,userId,permissions,rateLimit\nxyz,n,u,read,\n${sha},n,u,fly,often\n${sha},n,u`).problems).toEqual([
      { line: 4, detail: "has 3 values for 5 columns" },
      { line: 2, detail: "sha256: must be 64 hex digits" },
      { line: 3, detail: "permissions.0: is not a permission" },
      { line: 3, detail: expect.stringContaining("rateLimit") },
    ]);
    expect(readImportFile("sha,name\n").problems).toEqual([{ line: 1, detail: expect.stringContaining('"sha" is not a known column') }]);
    expect(readImportFile("[{]").problems).toEqual([{ line: 1, detail: expect.stringContaining("is not JSON") }]);
    expect(readImportFile(JSON.stringify([{ sha256: sha, name: "n", permissions: ["read"], secret: "x", userId: "u" }])).problems).toEqual([{ line: 1, detail: expect.stringContaining("secret is not a known field") }]);
    for (const text of ["[]", "{}", "sha256,name\n", "3"]) expect(readImportFile(text).problems.length, text).toBeGreaterThan(0);
  });

  it("says who owns a key in exactly one way", () => {
    const line = (owner: object) => readImportFile(JSON.stringify([{ sha256: sha, name: "n", permissions: ["read"], ...owner }])).problems.length;
    expect([line({ userId: "u" }), line({ user: "u", tenant: "t" })]).toEqual([0, 0]);
    for (const owner of [{}, { user: "u" }, { tenant: "t" }, { userId: "u", user: "u", tenant: "t" }]) expect(line(owner), JSON.stringify(owner)).toBeGreaterThan(0);
  });
});
