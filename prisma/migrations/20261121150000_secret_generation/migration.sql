-- AlterTable
ALTER TABLE "ApiKey" ADD COLUMN     "secretGeneration" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "TokenFamily" ADD COLUMN     "secretGeneration" INTEGER;
