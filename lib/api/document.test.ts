import { describe, expect, it } from "vitest";
import { createApi } from "./app";
import { documentOf } from "./document-of";

type Node = { [name: string]: unknown };
const document = documentOf(createApi()) as unknown as Node & { components: { schemas: Record<string, Node> } };

/** Every schema-like object of the document, with where it stands. */
function* nodes(node: unknown, at = ""): Generator<[string, Node]> {
  if (typeof node !== "object" || node === null) return;
  if (!Array.isArray(node)) yield [at, node as Node];
  for (const [name, value] of Object.entries(node)) yield* nodes(value, `${at}/${name}`);
}

const resolved = (schema: Node): Node => {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(schema.$ref ?? ""))?.[1];
  return name ? resolved(document.components.schemas[name] ?? {}) : schema;
};

describe("the OpenAPI document", () => {
  it("asks no field for two disjoint sets of words at once", () => {
    const impossible: string[] = [];
    for (const [at, { allOf }] of nodes(document)) {
      if (!Array.isArray(allOf)) continue;
      const parts = (allOf as Node[]).map(resolved);
      const names = new Set(parts.flatMap((part) => Object.keys((part.properties as Node | undefined) ?? {})));
      for (const name of names) {
        const words = parts.flatMap((part) => { const field = resolved(((part.properties as Record<string, Node> | undefined) ?? {})[name] ?? {}); return Array.isArray(field.enum) ? [field.enum as unknown[]] : []; });
        if (words.length > 1 && !words[0]?.some((word) => words.every((others) => others.includes(word)))) impossible.push(`${at}: ${name}`);
      }
    }
    expect(impossible).toEqual([]);
  });

  it("has no part of an allOf, oneOf or anyOf that says nothing, which client generators drop", () => {
    const unnamed: string[] = [];
    for (const [at, node] of nodes(document)) {
      for (const kind of ["allOf", "oneOf", "anyOf"]) {
        for (const part of (node[kind] as Node[] | undefined) ?? []) if (part.$ref === undefined && part.type === undefined && part.const === undefined && part.enum === undefined && part.allOf === undefined && part.oneOf === undefined && part.anyOf === undefined) unnamed.push(`${at}/${kind}: ${JSON.stringify(part).slice(0, 120)}`);
        // An extension of a named schema is a schema of its own, and has no name to generate code under.
        if (kind === "allOf" && (node.allOf as Node[] | undefined)?.some((part) => part.$ref === undefined)) unnamed.push(`${at}/allOf: ${JSON.stringify(node.allOf).slice(0, 200)}`);
      }
    }
    expect(unnamed).toEqual([]);
  });

  it("has no named schema that may itself be null, which generators take for an object", () => {
    expect(Object.entries(document.components.schemas).filter(([, { type }]) => Array.isArray(type) && type.includes("null")).map(([name]) => name)).toEqual([]);
  });

  it("names nothing that it does not define", () => {
    const missing = [...nodes(document)].flatMap(([at, { $ref }]) => (typeof $ref === "string" && document.components.schemas[$ref.split("/").at(-1) ?? ""] === undefined ? [`${at}: ${$ref}`] : []));
    expect(missing).toEqual([]);
  });
});
