-- AlterTable
ALTER TABLE "OwnerGrant" ADD COLUMN     "checkedAt" TIMESTAMPTZ(3),
ADD COLUMN     "warnedDays" INTEGER;

-- CreateIndex
CREATE INDEX "OwnerGrant_issuer_sub_idx" ON "OwnerGrant"("issuer", "sub");

-- CreateIndex
CREATE INDEX "OwnerGrant_status_idleDeadlineAt_idx" ON "OwnerGrant"("status", "idleDeadlineAt");
