/** As much of a JSON schema as is shown. */
export type Schema = {
  $ref?: string; type?: string | string[]; format?: string; enum?: unknown[]; const?: unknown; description?: string; default?: unknown;
  properties?: Record<string, Schema>; required?: string[]; additionalProperties?: boolean | Schema; items?: Schema;
  anyOf?: Schema[]; oneOf?: Schema[]; allOf?: Schema[];
  minimum?: number; maximum?: number; minLength?: number; maxLength?: number; minItems?: number; maxItems?: number; pattern?: string;
};
export type Schemas = Record<string, Schema>;

const depthMax = 6;

/**
 * A schema the way a person would jot it down: names, types, `?` for what may be left out, and bounds behind `//`.
 * Named schemas are written out once on the way down; where one contains itself, its name stands.
 */
export function shapeOf(schema: Schema, named: Schemas, indent = "", seen: readonly string[] = []): string {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    const target = named[name];
    return target && !seen.includes(name) && seen.length < depthMax ? shapeOf(target, named, indent, [...seen, name]) : name;
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((choice) => shapeOf(choice, named, indent, seen)))].join(" | ");
  if (schema.allOf) return schema.allOf.map((part) => shapeOf(part, named, indent, seen)).join(" & ");
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.map((type) => ofType(type, schema, named, indent, seen)).join(" | ");
}

function ofType(type: string | undefined, schema: Schema, named: Schemas, indent: string, seen: readonly string[]): string {
  if (type === "array") {
    const inner = schema.items ? shapeOf(schema.items, named, indent, seen) : "any";
    return inner.includes(" | ") && !inner.startsWith("{") ? `(${inner})[]` : `${inner}[]`;
  }
  if (type === "object" || schema.properties) {
    const properties = Object.entries(schema.properties ?? {});
    if (properties.length === 0) return typeof schema.additionalProperties === "object" ? `{ [name]: ${shapeOf(schema.additionalProperties, named, indent, seen)} }` : "object";
    const deeper = `${indent}  `;
    const lines = properties.map(([name, inner]) => {
      const bounds = boundsOf(inner);
      return `${deeper}${name}${schema.required?.includes(name) ? "" : "?"}: ${shapeOf(inner, named, deeper, seen)}${bounds ? `  // ${bounds}` : ""}`;
    });
    return `{\n${lines.join("\n")}\n${indent}}`;
  }
  if (type === "string" && schema.format) return { "date-time": "instant", uuid: "uuid" }[schema.format] ?? "string";
  return type ?? "any";
}

function boundsOf(schema: Schema): string {
  const range = (min: number | undefined, max: number | undefined, unit: string) => {
    // JavaScript's own limits are no rule of ours.
    const low = min !== undefined && min > Number.MIN_SAFE_INTEGER ? min : undefined;
    const high = max !== undefined && max < Number.MAX_SAFE_INTEGER ? max : undefined;
    if (low === undefined && high === undefined) return "";
    return `${low === undefined ? "at most " : high === undefined ? "at least " : `${low} to `}${high ?? low}${unit}`;
  };
  const parts = [
    range(schema.minimum, schema.maximum, ""), range(schema.minLength, schema.maxLength, " characters"), range(schema.minItems, schema.maxItems, " items"),
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`, schema.description ?? "",
  ];
  return parts.filter(Boolean).join("; ");
}
