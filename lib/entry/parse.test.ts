import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isSluiceError } from "@/lib/platform/errors";
import { parseInput, parseJson, refuseHostile, valuesMax } from "./parse";
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
    expect(() => parseJson('{"a":{"__proto__":{}}}')).toThrow(expect.objectContaining({ options: expect.objectContaining({ errors: [{ pointer: "/a/__proto__", detail: "is not a known field" }] }) }));
    expect(() => parseJson('"\\ud800"')).toThrow(expect.objectContaining({ options: expect.objectContaining({ errors: [{ pointer: "", detail: "must be well-formed Unicode" }] }) }));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("a hundred thousand brackets exhaust nothing", () => {
    expect(() => parseJson("[".repeat(100_000) + "]".repeat(100_000))).toThrow(expect.objectContaining({ code: "validation_failed" }));
  });

  it("a body with more values than anybody sends is refused before they are made; the last that may come is read", () => {
    const zeros = (count: number) => `[${"0,".repeat(count - 2)}0]`;
    expect(parseJson(zeros(valuesMax))).toHaveLength(valuesMax - 1);
    const tooMany = expect.objectContaining({ code: "bad_request", detail: "The body may hold at most 200,000 values.", options: expect.objectContaining({ decision: { check: "size", seen: null, limit: valuesMax } }) });
    for (const text of [zeros(valuesMax + 2), `[${"[],".repeat(valuesMax)}0]`, `[${"{},".repeat(valuesMax)}0]`, `{"a":["\\\\\\"",${"0,".repeat(valuesMax)}0]}`]) {
      // Cut short it is no JSON any more: what is refused for its size was not read.
      expect(() => parseJson(text.slice(0, -1))).toThrow(tooMany);
    }
  });

  it("an upload is one value, whatever stands in it", () => {
    const upload = `[{,"\\`.repeat(valuesMax);
    expect(parseJson(JSON.stringify({ data: upload }))).toEqual({ data: upload });
  });

  it("a list that names another one twice, and so on, is not followed for ever", () => {
    let value: unknown = [];
    for (let i = 0; i < 39; i++) value = [value, value];
    expect(() => refuseHostile(value)).toThrow(expect.objectContaining({ code: "bad_request" }));
  });

  it("a name as long as the body is cut where it is pointed at", () => {
    const long = "n".repeat(100_000);
    for (const refuse of [() => parseJson(JSON.stringify({ a: [{ [long]: "\0" }] })), () => parseInput(z.strictObject({ a: z.array(z.strictObject({})) }), { a: [{ [long]: 1 }] })]) {
      expect(refuse).toThrow(expect.objectContaining({ options: expect.objectContaining({ errors: [expect.objectContaining({ pointer: `/a/0/${"n".repeat(200)}…` })] }), detail: expect.toSatisfy((detail: string) => detail.length < 300) }));
    }
    const halved = `${"n".repeat(199)}😀`;
    expect(() => parseInput(z.strictObject({}), { [halved]: 1 })).toThrow(expect.objectContaining({ options: expect.objectContaining({ errors: [expect.objectContaining({ pointer: `/${"n".repeat(199)}\uFFFD…` })] }) }));
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
