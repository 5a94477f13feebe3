import "server-only";

export { recordAudit, type AuditInput } from "./record-audit";
export { sealAudit, sealAuditJob } from "./seal-audit";
export { auditHash, type SealedEvent } from "./chain";
