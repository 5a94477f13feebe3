import "server-only";

export { foldUsage, usageFoldJob } from "./fold-usage";
