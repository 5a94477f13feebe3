import "server-only";

export { assignByEmail, unassignByEmail } from "./assign";
export { canStream, getMyChatflow, listMyChatflows } from "./list-chatflows";
export { predictOnce, type PredictionAnswer, runChatflow, runPrediction } from "./run-chatflow";
export { streamChatflow, streamPrediction, type StreamedAnswer } from "./stream-chatflow";
export { chatflowSyncJob, syncChatflows } from "./sync-chatflows";
