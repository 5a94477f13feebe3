import "server-only";

export type { StoredDecision } from "./decisions";
export { type EarlierSecretCaller, listEarlierSecretCallers } from "./earlier-secret-callers";
export { foldUsage, usageFoldJob } from "./fold-usage";
export { getDecision } from "./get-decision";
export { activityHours, type KeyHour, listKeyActivity } from "./list-key-activity";
export { keepRequestLog, requestLogJob } from "./partitions";
export { flushCalls, recordCall } from "./record-call";
export { usageStream, usageStreamMax } from "./stream";
