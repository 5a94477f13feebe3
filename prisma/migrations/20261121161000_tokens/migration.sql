-- AlterTable
ALTER TABLE "SigningKey" ADD COLUMN     "endsAt" TIMESTAMPTZ(3),
ADD COLUMN     "signsFrom" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- Keys that were made before this have signed from the start.
UPDATE "SigningKey" SET "signsFrom" = "createdAt";

-- AlterTable
ALTER TABLE "TokenFamily" ADD COLUMN     "chatflowIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "endsAt" TIMESTAMPTZ(3),
ADD COLUMN     "kcAuthTime" INTEGER,
ADD COLUMN     "kcSid" VARCHAR(255),
ADD COLUMN     "origin" VARCHAR(20) NOT NULL DEFAULT 'password',
ADD COLUMN     "refreshedAt" TIMESTAMPTZ(3),
ADD COLUMN     "sessionId" VARCHAR(64);

-- Until now there were two ways to obtain tokens.
UPDATE "TokenFamily" SET "origin" = 'apiKey' WHERE "apiKeyId" IS NOT NULL;

-- CreateIndex
CREATE INDEX "TokenFamily_expiresAt_idx" ON "TokenFamily"("expiresAt");
