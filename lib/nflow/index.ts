import "server-only";

export { createApp, getApp, removeApps, searchApps } from "./apps";
export type { Application, ApplicationPage } from "./schemas";
