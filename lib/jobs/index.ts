import "server-only";

export { startWorker, type RunningWorker } from "./worker";
