import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { parse } from "yaml";

type OpenApi = { paths: Record<string, Record<string, { requestBody?: { content?: Record<string, { schema?: object }> } }>>; components: object };

const document = parse(readFileSync(join(import.meta.dirname, "nflow.openapi.yaml"), "utf8")) as OpenApi;
const ajv = new Ajv2020({ strict: false, allErrors: true });
(addFormats as unknown as (target: Ajv2020) => void)(ajv);
ajv.addSchema({ ...document, $id: "nflow" } as object);

const compiled = new Map<string, ValidateFunction | null>();

/** What the OpenAPI document finds wrong with a body, in short words; an empty list when nothing, or when none is described. */
export function bodyProblems(method: string, template: string, body: unknown): string[] {
  const at = `${method} ${template}`;
  let validate = compiled.get(at);
  if (validate === undefined) {
    const schema = document.paths[template]?.[method.toLowerCase()]?.requestBody?.content?.["application/json"]?.schema;
    const pointer = `#/paths/${template.replaceAll("~", "~0").replaceAll("/", "~1")}/${method.toLowerCase()}/requestBody/content/application~1json/schema`;
    validate = schema ? ajv.compile({ $ref: `nflow${pointer}` }) : null;
    compiled.set(at, validate);
  }
  if (!validate || validate(body ?? {})) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath || "body"} ${error.message ?? "is not valid"}`);
}
