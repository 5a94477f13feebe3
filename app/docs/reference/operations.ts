import type { Schema, Schemas } from "./shape";

type Content = Record<string, { schema?: Schema }>;
type Raw = {
  tags?: string[]; summary?: string; description?: string; "x-permission"?: string; security?: object[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { required?: boolean; content?: Content };
  responses?: Record<string, { description?: string; content?: Content }>;
};
type Document = { info?: { version?: string }; paths?: Record<string, Record<string, Raw>>; components?: { schemas?: Schemas } };

export type Operation = {
  id: string; method: string; path: string; tag: string; summary: string; description: string | null;
  /** Null: any credential will do. */
  permission: string | null;
  isOpen: boolean;
  parameters: { name: string; place: string; isRequired: boolean; schema: Schema }[];
  body: { type: string; schema: Schema } | null;
  answers: { status: string; description: string; type: string | null; schema: Schema | null }[];
};

const methods = ["get", "post", "put", "patch", "delete"] as const;

/** The OpenAPI document as a page needs it: operations in groups, in the order in which they were declared. */
export function readDocument(raw: object): { version: string; groups: { tag: string; operations: Operation[] }[]; schemas: Schemas } {
  const document = raw as Document;
  const groups = new Map<string, Operation[]>();
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of methods) {
      const found = item[method];
      if (!found) continue;
      const tag = found.tags?.[0] ?? "Other";
      groups.set(tag, [...(groups.get(tag) ?? []), operationOf(method, path, tag, found)]);
    }
  }
  return { version: document.info?.version ?? "", groups: [...groups].map(([tag, operations]) => ({ tag, operations })), schemas: document.components?.schemas ?? {} };
}

function operationOf(method: string, path: string, tag: string, raw: Raw): Operation {
  return {
    id: `${method}-${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "")}`,
    method, path, tag, summary: raw.summary ?? "", description: raw.description ?? null,
    permission: raw["x-permission"] ?? null,
    isOpen: raw.security?.length === 0,
    parameters: (raw.parameters ?? []).map((p) => ({ name: p.name, place: p.in, isRequired: p.required ?? false, schema: p.schema ?? {} })),
    body: first(raw.requestBody?.content),
    // The problem that any call may answer has a page of its own.
    answers: Object.entries(raw.responses ?? {}).filter(([status]) => status !== "default").map(([status, answer]) => {
      const content = first(answer.content);
      return { status, description: answer.description ?? "", type: content?.type ?? null, schema: content?.schema ?? null };
    }),
  };
}

function first(content: Content | undefined): { type: string; schema: Schema } | null {
  const entry = Object.entries(content ?? {})[0];
  return entry ? { type: entry[0], schema: entry[1].schema ?? {} } : null;
}
