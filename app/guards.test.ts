import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { takeInventory } from "@/dev/testing/inventory";
import { openActions, openHandlers, openPages } from "@/dev/testing/open-doors";

describe("every page, action and route handler goes through its door", () => {
  const { pages, actions, handlers, inlineActions } = takeInventory(process.cwd());

  it("a page is made with page(), or is open to everybody on purpose", () => {
    expect(pages.filter(({ door }) => door === null).map(({ path }) => path).sort()).toEqual([...openPages].sort());
    expect(pages.length).toBeGreaterThan(15);
  });

  it("a server action is made with action(), or guards itself on purpose", () => {
    expect(actions.filter(({ door }) => door === null).map(({ name }) => name).sort()).toEqual([...openActions].sort());
    expect(actions.length).toBeGreaterThan(15);
    expect(inlineActions).toEqual([]);
  });

  it("what administrators change, and taking machine access back, wants a recent proof of who is there", () => {
    const grave = actions.filter(({ file, name }) => file.startsWith("app/(portal)/admin/") || name === "removeGrantAction");
    expect(grave.filter(({ fresh }) => !fresh).map(({ name }) => name)).toEqual([]);
    expect(grave.length).toBeGreaterThan(10);
  });

  it("an action is called in the request log what its export is called", () => {
    const misnamed = actions.filter(({ door }) => door === "action").filter(({ file, name }) => !new RegExp(`export const ${name} = action\\((?:(?!^export )[\\s\\S])*?\\{ name: "${name.replace(/Action$/, "")}"`, "m").test(readFileSync(file, "utf8")));
    expect(misnamed.map(({ name }) => name)).toEqual([]);
  });

  it("Next.js has no route handler but the API's, Auth.js's and the status page's", () => {
    expect(handlers.map(({ path }) => path).sort()).toEqual([...openHandlers].sort());
  });
});

describe("the inventory sees what lacks its door", () => {
  const root = mkdtempSync(join("/var/tmp", "sluice-inventory-"));
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("a bare page, a page() from elsewhere, an action that is a plain function, one behind a re-export, one inside a component", () => {
    write("app/(portal)/bare/page.tsx", "export default async function Bare() { return null; }");
    write("app/(portal)/fake/[id]/page.tsx", 'import { page } from "./own"; export default page(async () => null);');
    write("app/(portal)/good/page.tsx", 'import { page } from "@/lib/entry/page"; export default page(async () => null);');
    write("app/good/actions.ts", '"use server"; import { action } from "@/lib/entry/action"; export const goodAction = action(a, b);');
    write("app/bad/actions.ts", '"use server"; import { action } from "./own"; export const fakeAction = action(a, b); export async function plainAction() {} export { other } from "./other";');
    write("app/bad/form.tsx", 'export function Form() { async function save() { "use server"; } return null; }');
    write("app/bad/route.ts", "export function GET() {}");
    const found = takeInventory(root);
    expect(Object.fromEntries(found.pages.map(({ path, door }) => [path, door]))).toEqual({ "/bare": null, "/fake/[id]": null, "/good": "page" });
    expect(Object.fromEntries(found.actions.map(({ name, door }) => [name, door]))).toEqual({ goodAction: "action", fakeAction: null, plainAction: null, other: null });
    expect(found.inlineActions).toEqual(["app/bad/form.tsx"]);
    expect(found.handlers.map(({ path }) => path)).toEqual(["/bad"]);
  });
});
