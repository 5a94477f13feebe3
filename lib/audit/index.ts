import "server-only";

export { listEventsOf } from "./list-events-of";
export { listOwnEvents } from "./list-own-events";
export { recordAudit, type AuditInput } from "./record-audit";
export { sealAudit, sealAuditJob } from "./seal-audit";
export { auditHash, type SealedEvent } from "./chain";
