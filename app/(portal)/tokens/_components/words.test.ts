import { expect, it } from "vitest";
import { agentWords, permissionsInWords } from "./words";

it("a program's name is cut where nobody reads on, and a silent one is said to be silent", () => {
  expect(agentWords("curl/8.9.1")).toBe("curl/8.9.1");
  expect(agentWords("x".repeat(400))).toHaveLength(81);
  for (const silent of [null, "", "  "]) expect(agentWords(silent)).toBe("A program that does not say its name");
});

it("few permissions are named, many are counted", () => {
  expect(permissionsInWords([])).toBe("nothing now");
  expect(permissionsInWords(["a", "b", "c", "d", "e"])).toBe("a, b, c, d, e");
  expect(permissionsInWords(["a", "b", "c", "d", "e", "f"])).toBe("a, b, c, d and 2 more");
});
