import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, control, demo, keyOf, resetParts, revoke, signIn } from "./client";

/** What README, docs and portal print is run as printed: only placeholders are filled in. */
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "sluice-snippets-"));
const plain = (html: string) => html.replace(/<[^>]*>/g, "").replaceAll("&quot;", '"').replaceAll("&#x27;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
type Snippet = { label: string; code: string };

let uma: { id: string; key: string };
let made: string[];
beforeAll(async () => {
  await resetParts();
  uma = await keyOf("uma", { permissions: ["write", "api-keys:create", "api-keys:manage"] });
  made = [];
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
});
afterAll(async () => {
  for (const id of [...made, uma.id]) await revoke("uma", id);
  rmSync(folder, { recursive: true, force: true });
});

const blocksOf = (html: string): Snippet[] => [...html.matchAll(/<pre[^>]*aria-label="([^"]*)"[^>]*><code>([\s\S]*?)<\/code>/g)].map(([, label = "", code = ""]) => ({ label: plain(label), code: plain(code) }));
async function printedAt(path: string): Promise<Snippet[]> {
  const blocks = blocksOf((await call(demo.url, "GET", path)).text);
  expect(blocks.length).toBeGreaterThan(0);
  return blocks;
}

/** What a closed tab will show is not in the page yet, but in the data that comes with it. */
function textsOf(html: string): string[] {
  const data = [...html.matchAll(/self\.__next_f\.push\(\[1,("(?:[^"\\]|\\.)*")\]\)/g)].map(([, part = '""']) => JSON.parse(part) as string).join("");
  return [...data.matchAll(/"children":("(?:[^"\\]|\\.)*")/g)].map(([, text = '""']) => JSON.parse(text) as string);
}

const filled = (code: string) => code.replaceAll("http://localhost:3000", demo.url).replaceAll("CHATFLOW_ID", flowIds.releaseNotes).replaceAll("<id>", flowIds.releaseNotes);
const environment = () => ({ PATH: process.env.PATH, HOME: folder, NODE_ENV: "test" as const, SLUICE_API_KEY: uma.key });

async function shell(code: string, more: Record<string, string> = {}): Promise<string> {
  return (await run("bash", ["-euc", filled(code)], { cwd: folder, env: { ...environment(), ...more }, timeout: 20_000 })).stdout;
}

/** Saves the text under the name that is printed with it and follows the printed command, with the SDK already installed. */
async function program(file: string, code: string, command: string): Promise<string> {
  writeFileSync(join(folder, file), filled(code));
  expect(command).toBe(`npm install flowise-sdk && node ${file}`);
  return (await run(process.execPath, [file], { cwd: folder, env: environment(), timeout: 20_000 })).stdout;
}

const commandIn = (code: string) => code.split("\n").flatMap((line) => /^\/\/ {3}(.*)$/.exec(line)?.[1] ?? []).join(" && ");
const fileIn = (code: string) => /^\/\/ Save as (\S+),/.exec(code)?.[1] ?? "";

describe("a printed snippet runs as printed", () => {
  it("in the quick start, by curl and by Flowise's SDK", async () => {
    const blocks = await printedAt("/docs");
    const [predict = "", stream = "", tokens = ""] = blocks.filter(({ label }) => label === "curl").map(({ code }) => code);
    expect(JSON.parse(await shell(predict))).toMatchObject({ response: "Draft for: Hello" });
    expect(await shell(stream)).toMatch(/"event":"token"[\s\S]*"event":"end"/);
    expect(JSON.parse(await shell(tokens))).toMatchObject({ token_type: expect.stringMatching(/bearer/i) });
    const sdk = blocks.find(({ code }) => code.includes("flowise-sdk"));
    expect(sdk?.label).toBe(fileIn(sdk?.code ?? ""));
    expect(await program(fileIn(sdk?.code ?? ""), sdk?.code ?? "", commandIn(sdk?.code ?? ""))).toBe("Draft for: Hello");
  });

  it("in the docs of keys and tokens", async () => {
    const keys = (await printedAt("/docs/keys")).filter(({ label }) => label === "curl").map(({ code }) => code);
    const created = JSON.parse(await shell((keys[0] ?? "").replace("nightly-report-1", `nightly-${Date.now()}`))) as { data: { id: string } };
    expect(created).toMatchObject({ status: "success", data: { name: "Nightly report" } });
    made.push(created.data.id);
    expect(JSON.parse(await shell((keys[1] ?? "").replace("KEY_ID", created.data.id)))).toMatchObject({ status: "success" });
    const refused = await call(demo.url, "GET", "/api/v1/admin/requests", { key: uma.key });
    expect(JSON.parse(await shell((keys[2] ?? "").replace("REQUEST_ID", refused.headers.get("x-request-id") ?? "")))).toMatchObject({ data: { code: "insufficient_permission" } });

    const tokens = (await printedAt("/docs/tokens")).filter(({ label }) => label === "curl").map(({ code }) => code);
    const first = JSON.parse(await shell(tokens[0] ?? "")) as { refresh_token: string };
    const next = JSON.parse(await shell((tokens[1] ?? "").replace("srt_…", first.refresh_token))) as { refresh_token: string };
    expect(next.refresh_token).toMatch(/^srt_/);
    expect(JSON.parse(await shell((tokens[2] ?? "").replace("srt_…", next.refresh_token)))).toMatchObject({ revoked_count: 1 });
  });

  it("on a chatflow's page, under From a program", async () => {
    const browser = await signIn("uma");
    const texts = textsOf((await browser.go(`${demo.url}/chatflows/${flowIds.releaseNotes}`)).text);
    const curl = texts.find((text) => text.startsWith("curl ")) ?? "";
    const sdk = texts.find((text) => text.includes("flowise-sdk\n")) ?? "";
    expect(await shell(curl)).toMatch(/"event":"token"/);
    expect(await program(fileIn(sdk), sdk, commandIn(sdk))).toBe("Draft for: Hello");
  });

  it("in the README, for the operator's first tenant and key", async () => {
    const slug = `printed${Date.now()}`;
    const owner = `o${Date.now()}`;
    await control("identity", { createUsers: { [owner]: ["user"] } });
    await control("identity", { setGroups: { [owner]: [`/${slug}`] } });
    const curls = /```sh\n(curl -X POST \$URL\/api\/admin\/tenants[\s\S]*?)```/.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";
    const said = await shell(curls.replaceAll('"acme"', `"${slug}"`).replaceAll('"ada"', `"${owner}"`), { URL: demo.url, ADMIN_TOKEN: demo.adminToken });
    const answers = said.split(/(?<=\})(?=\{)/).map((text) => JSON.parse(text) as { status: string; data: { slug?: string; key?: string } });
    expect(answers).toMatchObject([{ status: "success", data: { slug } }, { status: "success", data: { key: expect.stringMatching(/^slk_/) } }]);
    expect((await call(demo.url, "GET", "/api/v1/auth/me", { key: answers[1]?.data.key ?? "" })).status).toBe(200);
  });

  it("in the README", async () => {
    const readme = readFileSync("README.md", "utf8");
    const sdk = /Save this as `(\S+)`, then `([^`]+)`:\n\n```js\n([\s\S]*?)```/.exec(readme);
    expect(await program(sdk?.[1] ?? "", sdk?.[3] ?? "", sdk?.[2] ?? "")).toContain("event: 'end'");
    const curls = /```sh\nexport SLUICE_API_KEY=slk_…\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const said = await shell(curls);
    expect(said).toContain(flowIds.releaseNotes);
    expect(said).toMatch(/"event":"end"/);
  });
});
