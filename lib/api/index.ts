import "server-only";

export { createApi } from "./app";
export { openApiDocument } from "./document";
export { whatIfCall } from "./what-if";
