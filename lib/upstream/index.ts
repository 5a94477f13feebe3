import "server-only";

export { callUpstream, translated, type UpstreamAnswer, type UpstreamRequest } from "./call-upstream";
export { retryAfter, upstreamFailure } from "./failures";
export { readJson, readText } from "./read-json";
export { syncFlowise } from "./service-calls";
