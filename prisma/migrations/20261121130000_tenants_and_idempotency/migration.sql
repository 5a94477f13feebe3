-- CreateEnum
CREATE TYPE "AttemptState" AS ENUM ('running', 'answered', 'unrepeatable');

-- AlterTable
ALTER TABLE "Tenant" ADD COLUMN     "limits" JSONB NOT NULL DEFAULT '{}';

-- CreateTable
CREATE TABLE "IdempotencyRecord" (
    "id" CHAR(64) NOT NULL,
    "tenantId" VARCHAR(64) NOT NULL,
    "fingerprint" CHAR(64) NOT NULL,
    "attempt" UUID NOT NULL,
    "state" "AttemptState" NOT NULL DEFAULT 'running',
    "leaseUntil" TIMESTAMPTZ(3) NOT NULL,
    "effectAt" TIMESTAMPTZ(3),
    "status" INTEGER,
    "headers" JSONB,
    "body" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "IdempotencyRecord_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "ApiKey_createdAt_id_idx" ON "ApiKey"("createdAt" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "IdempotencyRecord_attempt_key" ON "IdempotencyRecord"("attempt");

-- CreateIndex
CREATE INDEX "IdempotencyRecord_expiresAt_idx" ON "IdempotencyRecord"("expiresAt");
