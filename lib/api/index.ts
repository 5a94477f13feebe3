import "server-only";

export { createApi } from "./app";
export { openApiDocument } from "./document";
