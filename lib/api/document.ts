import { createApi } from "./app";
import { documentOf } from "./document-of";

let document: object | undefined;

/** For the page that shows the reference: the same document that `/api/openapi.json` answers. */
export function openApiDocument(): object {
  document ??= documentOf(createApi());
  return document;
}
