import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isSluiceError } from "@/lib/platform/errors";
import { parseInput, parseJson } from "./parse";
import { requestIdFrom } from "./request-id";

describe("parsing at the door", () => {
  it("whatever text comes, the answer is a value or a named refusal", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.json({ maxDepth: 60 })), (text) => {
      try {
        parseJson(text);
      } catch (error) {
        expect(isSluiceError(error, "malformed_json", "validation_failed")).toBe(true);
      }
    }));
  });

  it("a null byte and __proto__ are found at any depth, and pointed at", () => {
    expect(() => parseJson('{"a":[{"b":"x\\u0000"}]}')).toThrow(expect.objectContaining({ options: expect.objectContaining({ errors: [{ pointer: "/a/0/b", detail: "must not contain a null byte" }] }) }));
    expect(() => parseJson('{"a":{"__proto__":{}}}')).toThrow(expect.objectContaining({ code: "validation_failed" }));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("a hundred thousand brackets exhaust nothing", () => {
    expect(() => parseJson("[".repeat(100_000) + "]".repeat(100_000))).toThrow(expect.objectContaining({ code: "validation_failed" }));
  });

  it("pointers are JSON pointers: slashes and tildes escaped, unknown fields by their name", () => {
    const schema = z.strictObject({ "a/b": z.strictObject({ "c~d": z.int() }) });
    const pointers = (input: unknown) => {
      try {
        parseInput(schema, input);
        return [];
      } catch (error) {
        return isSluiceError(error) ? error.options.errors?.map((e) => e.pointer) : [];
      }
    };
    expect(pointers({ "a/b": { "c~d": "x" } })).toEqual(["/a~1b/c~0d"]);
    expect(pointers({ "a/b": { "c~d": 1, more: 2 } })).toEqual(["/a~1b/more"]);
  });
});

it("a request id is the caller's when it is harmless in a log, else new", () => {
  expect(requestIdFrom("a".repeat(128))).toBe("a".repeat(128));
  for (const bad of ["", "a".repeat(129), "a b", "a\nb", "ä", null, undefined]) expect(requestIdFrom(bad)).toMatch(/^[0-9a-f-]{36}$/);
});
