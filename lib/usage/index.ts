import "server-only";

export { type EarlierSecretCaller, listEarlierSecretCallers } from "./earlier-secret-callers";
export { foldUsage, usageFoldJob } from "./fold-usage";
export { getDecision } from "./get-decision";
export { activityHours, type KeyHour, listKeyActivity } from "./list-key-activity";
export { getAnyKeyUsage, getKeyUsage } from "./get-key-usage";
export { getMyUsage, type KeyShare, type MyUsage, type RouteShare } from "./get-my-usage";
export { listAllRequests, listRequests } from "./list-requests";
export { keepRequestLog, requestLogJob } from "./partitions";
export { flushCalls, recordCall } from "./record-call";
export { usageStream, usageStreamMax } from "./stream";
