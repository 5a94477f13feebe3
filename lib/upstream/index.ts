import "server-only";

export { callUpstream, type UpstreamAnswer, type UpstreamRequest } from "./call-upstream";
export { closeUpstream } from "./connections";
export { translated } from "./failures";
export { readJson, readText } from "./read-json";
export { syncFlowise } from "./service-calls";
export { retryAfter, upstreamFailure } from "./upstream-failure";
