import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, describe, expect, inject, it } from "vitest";
import { call, demo, doors, sha256 } from "./client";

const folder = mkdtempSync(join(tmpdir(), "sluice-keys-"));
const sql = new pg.Pool({ connectionString: demo.databaseUrl, max: 1 });
const mark = `cli ${randomUUID()}`;
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await sql.query(`UPDATE "ApiKey" SET "revokedAt" = now(), version = version + 1 WHERE name LIKE $1`, [`${mark}%`]);
  await sql.end();
});

/** As on the server's shell: its environment, and nothing else. */
function npmRun(command: string, ...args: string[]): Promise<{ code: number; out: string; words: string }> {
  const env = { NODE_ENV: "production" as const, PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...inject("webEnv") };
  return new Promise((done) => execFile(process.execPath, ["dev/bootstrap.mjs", command, ...args], { env }, (error, out, words) => done({ code: error ? Number(error.code ?? 1) : 0, out, words })));
}
const fileOf = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const me = (key: string) => call(doors.own, "GET", "/api/v1/auth/me", { key });

describe("npm run key:create", () => {
  it("prints a working key alone to stdout, and tells the rest beside it", async () => {
    const { code, out, words } = await npmRun("key:create", "--tenant", "acme", "--user", "uma@acme.test", "--name", mark, "--permissions", "read,ai:predict", "--rate-limit", "7/60");
    expect([code, out]).toEqual([0, expect.stringMatching(/^slk_[0-9A-Za-z]{49}\n$/)]);
    expect(words).toContain("only time");
    expect(words).not.toContain(out.trim());
    const seen = await me(out.trim());
    expect([seen.json.data.email, seen.headers.get("x-ratelimit-limit")]).toEqual(["uma@acme.test", "7"]);
    const [event] = (await sql.query(`SELECT "actorType", "actorId" FROM "AuditEvent" WHERE "targetId" = $1`, [seen.json.data.apiKeyId])).rows;
    expect(event).toEqual({ actorType: "job", actorId: "key:create" });
  });

  it("says what is missing, unknown or wrong, and makes nothing", async () => {
    for (const [args, said] of [[["--tenant", "acme"], "--user is missing"], [["--tenant", "acme", "--user", "nobody", "--name", mark], "nobody called nobody"], [["--tenant", "acme", "--user", "uma", "--name", mark, "--permissions", "fly"], "is not a permission"], [["--fly"], "--fly"]] as const) {
      const { code, out, words } = await npmRun("key:create", ...args);
      expect([code, out], words).toEqual([1, ""]);
      expect(words).toContain(said);
    }
  });
});

describe("npm run key:import", () => {
  it("imports CSV after a dry run, and again without doing anything twice", async () => {
    const [kaa, flash] = [`kaa_${randomBytes(32).toString("hex")}`, `flash_${randomBytes(24).toString("base64url")}`];
    const file = fileOf("keys.csv", `sha256,name,user,permissions,hashed,prefix\n${sha256(kaa)},${mark} a,uma,read,,\n${sha256(flash.slice(6))},${mark} b,uma,read;ai:predict,afterPrefix,flash_\n`);
    const dry = await npmRun("key:import", file, "--tenant", "acme", "--dry-run");
    expect([dry.code, dry.words]).toEqual([0, expect.stringContaining("2 would be imported")]);
    expect((await me(kaa)).status).toBe(401);
    expect((await npmRun("key:import", file, "--tenant", "acme")).words).toContain("2 imported, 0 known already, 0 failed.");
    expect([(await me(kaa)).status, (await me(flash)).status]).toEqual([200, 200]);
    const again = await npmRun("key:import", file, "--tenant", "acme", "--json");
    expect(again.words).toContain("0 imported, 2 known already");
    expect(JSON.parse(again.out).results.map((r: { line: number; status: string }) => [r.line, r.status])).toEqual([[2, "exists"], [3, "exists"]]);
  });

  it("names each line that cannot be read, and then imports none of the file", async () => {
    const good = `kaa_${randomBytes(32).toString("hex")}`;
    const file = fileOf("bad.json", JSON.stringify([{ sha256: sha256(good), name: mark, permissions: ["read"], tenant: "acme", user: "uma" }, { sha256: "x", name: mark, permissions: ["read"], tenant: "acme", user: "uma" }]));
    const { code, words } = await npmRun("key:import", file);
    expect([code, words]).toEqual([1, expect.stringContaining(`${file}:2: sha256: must be 64 hex digits`)]);
    expect((await me(good)).status).toBe(401);
    expect((await npmRun("key:import", join(folder, "none.csv"))).words).toContain("there is no file");
  });
});
