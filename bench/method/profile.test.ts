import { expect, it } from "vitest";
import { type CpuProfile, packageOf, placesOf, summarise } from "./profile";

const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 9, columnNumber: 0 });
const profile: CpuProfile = {
  startTime: 0,
  nodes: [{ id: 1, callFrame: frame("(idle)") }, { id: 2, callFrame: frame("write", "file:///x/node_modules/pino/lib/tools.js") }, { id: 3, callFrame: frame("(garbage collector)") }, { id: 4, callFrame: frame("write", "file:///x/node_modules/pino/lib/tools.js") }],
  samples: [1, 2, 3, 4], timeDeltas: [1000, 30, 20, 50],
};

it("shares are of the time at work, the same function called from two places counted once", () => {
  const { packages, functions } = summarise(profile, placesOf());
  expect(packages).toEqual([{ name: "pino", share: 0.8 }, { name: "(garbage collector)", share: 0.2 }]);
  expect(functions[0]).toEqual({ name: "write node_modules/pino/lib/tools.js:10", share: 0.8 });
});

it("start and stop are left out, and native work is told by who of ours asked for it", () => {
  const own = { ...profile, nodes: profile.nodes.map((node) => (node.id === 3 ? { ...node, callFrame: frame("checkCall"), children: [4] } : node)) };
  const placeOf = (at: { functionName: string }) => ({ group: "g", place: "", ours: at.functionName === "checkCall" });
  expect(summarise(own, placeOf, { from: 1040, to: 2000 }).behalf).toEqual([{ name: "checkCall", share: 1 }]);
  expect(summarise(own, placeOf, { from: 0, to: 1040 }).behalf).toEqual([{ name: "(nothing of ours on the stack)", share: 1 }]);
});

it("a package is the innermost one, with its scope", () => {
  expect(packageOf("/a/node_modules/@hono/node-server/dist/index.mjs")).toBe("@hono/node-server");
  expect(packageOf("/a/node_modules/pg/node_modules/pg-types/index.js")).toBe("pg-types");
  expect(packageOf("/a/lib/keys/limit.ts")).toBeNull();
});
