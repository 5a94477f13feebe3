import "server-only";

export { foldUsage, usageFoldJob } from "./fold-usage";
export { usageStream, usageStreamMax } from "./stream";
