-- CreateEnum
CREATE TYPE "KeycloakState" AS ENUM ('enabled', 'disabled', 'deleted');

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "keptOutAt" TIMESTAMPTZ(3),
ADD COLUMN     "keycloakCheckedAt" TIMESTAMPTZ(3),
ADD COLUMN     "keycloakState" "KeycloakState" NOT NULL DEFAULT 'enabled',
ADD COLUMN     "keycloakStateAt" TIMESTAMPTZ(3),
ADD COLUMN     "signedOutBefore" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "syncedAt" TIMESTAMPTZ(3),
ADD COLUMN     "tenantIsOrganization" BOOLEAN NOT NULL DEFAULT false;

-- Until now only an administrator could switch somebody off.
UPDATE "User" SET "keptOutAt" = COALESCE("disabledAt", now()) WHERE NOT "isActive";
