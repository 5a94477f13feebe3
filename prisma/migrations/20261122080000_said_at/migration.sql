-- AlterTable
ALTER TABLE "User" ADD COLUMN     "saidAt" TIMESTAMPTZ(3);
