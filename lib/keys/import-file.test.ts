import { describe, expect, it } from "vitest";
import { readImportFile } from "./import-file";
import { decodeKeyFile } from "./schemas";

const sha = "a".repeat(64);

describe("a file of keys to import", () => {
  it("CSV with quotes, commas and line ends inside them, lists, limits and empty cells", () => {
    const { keys, problems } = readImportFile(`\uFEFFsha256,name,user,permissions,rateLimit,allowedIps,description\r\n${sha},"Nightly, ""big""\nreport",uma,read ai:predict,10/60,10.0.0.0/8;::1,\r\n\r\n${"b".repeat(64)},plain,gus,read,,,x`, "acme");
    expect(problems).toEqual([]);
    expect(keys).toMatchObject([
      { line: 2, key: { sha256: sha, name: 'Nightly, "big"\nreport', tenant: "acme", user: "uma", rateLimit: { requests: 10, window: 60 }, allowedIps: ["10.0.0.0/8", "::1/128"] } },
      { line: 5, key: { name: "plain", user: "gus", description: "x" } },
    ]);
    expect(keys[0]?.key.permissions).toContain("ai:predict");
  });

  it("JSON as a list or under keys, with a tenant of its own where a line names one", () => {
    const key = { sha256: sha, name: "k", permissions: ["read"], user: "uma" };
    for (const text of [JSON.stringify([key, { ...key, tenant: "globex" }]), ` ${JSON.stringify({ keys: [key, { ...key, tenant: "globex" }] })}`]) expect(readImportFile(text, "acme").keys.map(({ key: k }) => k.tenant)).toEqual(["acme", "globex"]);
  });

  it("every fault is named with its line and column, all at once", () => {
    expect(readImportFile(`sha256,name,userId,permissions,rateLimit,expiresAt\nxyz,n,u,read,,\n${sha},n,u,fly,"5,000/3600",31.12.2026\n${sha},n,u`).problems).toEqual([
      { line: 2, detail: "sha256: must be 64 hex digits" },
      { line: 3, detail: "rateLimit: write 5000/3600" },
      { line: 3, detail: 'expiresAt: "31.12.2026" is no instant. Write it as 2027-01-31T00:00:00Z' },
      { line: 3, detail: 'permissions: "fly" is not a permission' },
      { line: 4, detail: "has 3 values for 6 columns" },
    ]);
    expect(readImportFile(`sha256,name,userId,permissions,rateLimit\n${sha},n,u,read,often`).problems).toEqual([{ line: 2, detail: 'rateLimit: "often" is no limit. Write requests/seconds, such as 1000/3600' }]);
    expect(readImportFile("sha,name\n").problems).toEqual([{ line: 1, detail: expect.stringContaining('"sha" is not a known column') }]);
    expect(readImportFile("[{]").problems).toEqual([{ line: 1, detail: expect.stringContaining("is not JSON") }]);
    expect(readImportFile(JSON.stringify([{ sha256: sha, name: "n", permissions: ["read"], secret: "x", userId: "u" }])).problems).toEqual([{ line: 1, detail: expect.stringContaining("secret is not a known field") }]);
    for (const text of ["[]", "{}", "sha256,name\n", "3"]) expect(readImportFile(text).problems.length, text).toBeGreaterThan(0);
  });

  it("a quote that is never closed is named with its line", () => {
    expect(readImportFile(`sha256,name\n${sha},"open`).problems).toEqual([{ line: 2, detail: expect.stringContaining("quote") }]);
  });

  it.each([["semicolons", ";", ""], ["tabs", "\t", ""], ["commas", ",", ""], ["a sep= line", ";", "sep=;\r\n"]])("is read as spreadsheets write it: %s, names in any case, empty columns and lines at the end", (_name, sep, before) => {
    const rows = [["SHA256", "Name", "User ID", "permissions", "Rate limit", "Allowed IPs", "", ""], [sha, `"a ${sep} b"`, "u", '"read; ai:predict"', "10/60", "10.0.0.0/8", "", ""], Array.from({ length: 8 }, () => ""), []];
    const { keys, problems } = readImportFile(before + rows.map((row) => row.join(sep)).join("\r\n"));
    expect(problems).toEqual([]);
    expect(keys).toMatchObject([{ line: before ? 3 : 2, key: { name: `a ${sep} b`, userId: "u", rateLimit: { requests: 10, window: 60 }, allowedIps: ["10.0.0.0/8"] } }]);
  });

  it("is read in the encodings of spreadsheets", () => {
    const text = "sha256;name\r\n…;Größe";
    const utf16 = Buffer.from(text, "utf16le");
    for (const bytes of [Buffer.from(text), Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), utf16, Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])]) expect(decodeKeyFile(bytes).replace(/^\uFEFF/, "")).toBe(text);
    expect(decodeKeyFile(Buffer.from("Größe", "latin1"))).toBe("Größe");
  });

  it("says who owns a key in exactly one way", () => {
    const line = (owner: object) => readImportFile(JSON.stringify([{ sha256: sha, name: "n", permissions: ["read"], ...owner }])).problems.length;
    expect([line({ userId: "u" }), line({ user: "u", tenant: "t" })]).toEqual([0, 0]);
    for (const owner of [{}, { user: "u" }, { tenant: "t" }, { userId: "u", user: "u", tenant: "t" }]) expect(line(owner), JSON.stringify(owner)).toBeGreaterThan(0);
  });
});
