import { expect, it } from "vitest";
import { shapeOf } from "./shape";

it("writes a schema as a person would", () => {
  const text = shapeOf({
    type: "object", required: ["name", "tags"],
    properties: { name: { type: "string", minLength: 1, maxLength: 100 }, tags: { type: "array", items: { enum: ["a", "b"] } }, at: { anyOf: [{ type: "string", format: "date-time" }, { type: "null" }] }, n: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER, default: 5 } },
  }, {});
  expect(text).toBe(`{
  name: string  // 1 to 100 characters
  tags: ("a" | "b")[]
  at?: instant | null
  n?: integer  // at least 1; default 5
}`);
});

it("ends where a schema contains itself", () => {
  const named = { Node: { type: "object", properties: { next: { $ref: "#/components/schemas/Node" } } } };
  expect(shapeOf({ $ref: "#/components/schemas/Node" }, named)).toBe("{\n  next?: Node\n}");
});
