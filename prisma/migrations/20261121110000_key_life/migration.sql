-- AlterTable
ALTER TABLE "ApiKey" ADD COLUMN     "allowedIps" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "chatflowIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "secretSince" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- Keys that were made before this have had one secret all along.
UPDATE "ApiKey" SET "secretSince" = "createdAt";

-- CreateTable
CREATE TABLE "EarlierSecret" (
    "hash" CHAR(64) NOT NULL,
    "apiKeyId" UUID NOT NULL,
    "tenantId" UUID NOT NULL,
    "rotatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "overlapEndsAt" TIMESTAMPTZ(3) NOT NULL,
    "endWhenQuietSeconds" INTEGER,
    "lastUsedAt" TIMESTAMPTZ(3),

    CONSTRAINT "EarlierSecret_pkey" PRIMARY KEY ("hash")
);

-- CreateIndex
CREATE INDEX "EarlierSecret_apiKeyId_overlapEndsAt_idx" ON "EarlierSecret"("apiKeyId", "overlapEndsAt");

-- CreateIndex
CREATE INDEX "EarlierSecret_overlapEndsAt_idx" ON "EarlierSecret"("overlapEndsAt");

-- AddForeignKey
ALTER TABLE "EarlierSecret" ADD CONSTRAINT "EarlierSecret_apiKeyId_fkey" FOREIGN KEY ("apiKeyId") REFERENCES "ApiKey"("id") ON DELETE CASCADE ON UPDATE CASCADE;
