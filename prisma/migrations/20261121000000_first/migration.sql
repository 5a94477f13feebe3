-- Text search on names by trigram; trusted, so the database's owner may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;


-- CreateEnum
CREATE TYPE "CreditMode" AS ENUM ('user', 'tenant');

-- CreateEnum
CREATE TYPE "Role" AS ENUM ('admin', 'user', 'viewer');

-- CreateEnum
CREATE TYPE "GrantStatus" AS ENUM ('active', 'needs_reauth', 'owner_disabled');

-- CreateEnum
CREATE TYPE "SigningKeyState" AS ENUM ('active', 'retired');

-- CreateEnum
CREATE TYPE "ChatflowSyncStatus" AS ENUM ('active', 'deleted', 'error');

-- CreateEnum
CREATE TYPE "AccountKind" AS ENUM ('user', 'tenant', 'system');

-- CreateEnum
CREATE TYPE "HoldState" AS ENUM ('held', 'settled', 'released');

-- CreateTable
CREATE TABLE "Plan" (
    "id" UUID NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "limits" JSONB NOT NULL DEFAULT '{}',
    "monthlyCredits" INTEGER NOT NULL DEFAULT 1000,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Plan_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Tenant" (
    "id" UUID NOT NULL,
    "slug" VARCHAR(100) NOT NULL,
    "name" VARCHAR(200) NOT NULL,
    "planId" UUID NOT NULL,
    "creditMode" "CreditMode" NOT NULL DEFAULT 'user',
    "isActive" BOOLEAN NOT NULL DEFAULT true,
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Tenant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "User" (
    "id" UUID NOT NULL,
    "issuer" VARCHAR(500) NOT NULL,
    "sub" VARCHAR(255) NOT NULL,
    "tenantId" UUID NOT NULL,
    "username" VARCHAR(255) NOT NULL,
    "email" VARCHAR(320),
    "emailVerified" BOOLEAN NOT NULL DEFAULT false,
    "name" VARCHAR(300),
    "role" "Role",
    "isActive" BOOLEAN NOT NULL DEFAULT true,
    "disabledAt" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "lastSeenAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ApiKey" (
    "id" UUID NOT NULL,
    "tenantId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "description" VARCHAR(500),
    "secretHash" CHAR(64) NOT NULL,
    "start" VARCHAR(40) NOT NULL,
    "last4" VARCHAR(4) NOT NULL,
    "permissions" TEXT[],
    "rateRequests" INTEGER NOT NULL,
    "rateWindow" INTEGER NOT NULL,
    "expiresAt" TIMESTAMPTZ(3),
    "disabledAt" TIMESTAMPTZ(3),
    "revokedAt" TIMESTAMPTZ(3),
    "revokedReason" VARCHAR(200),
    "createdByType" VARCHAR(20) NOT NULL,
    "createdById" VARCHAR(64),
    "requestCount" BIGINT NOT NULL DEFAULT 0,
    "lastUsedAt" TIMESTAMPTZ(3),
    "lastRequestAt" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ApiKey_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "OwnerGrant" (
    "userId" UUID NOT NULL,
    "tenantId" UUID NOT NULL,
    "issuer" VARCHAR(500) NOT NULL,
    "sub" VARCHAR(255) NOT NULL,
    "clientId" VARCHAR(255) NOT NULL,
    "kcSid" VARCHAR(255),
    "salt" VARCHAR(64) NOT NULL,
    "sealed" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "status" "GrantStatus" NOT NULL,
    "statusReason" VARCHAR(100),
    "givenAt" TIMESTAMPTZ(3) NOT NULL,
    "lastUsedAt" TIMESTAMPTZ(3),
    "idleDeadlineAt" TIMESTAMPTZ(3),
    "absDeadlineAt" TIMESTAMPTZ(3),
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "OwnerGrant_pkey" PRIMARY KEY ("userId")
);

-- CreateTable
CREATE TABLE "TokenFamily" (
    "id" UUID NOT NULL,
    "tenantId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "apiKeyId" UUID,
    "permissions" TEXT[],
    "ip" VARCHAR(64),
    "userAgent" VARCHAR(400),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "revokedAt" TIMESTAMPTZ(3),
    "revokedReason" VARCHAR(100),
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "TokenFamily_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RefreshToken" (
    "id" UUID NOT NULL,
    "familyId" UUID NOT NULL,
    "hash" CHAR(64) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "spentAt" TIMESTAMPTZ(3),
    "ip" VARCHAR(64),
    "userAgent" VARCHAR(400),

    CONSTRAINT "RefreshToken_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SigningKey" (
    "kid" VARCHAR(64) NOT NULL,
    "publicJwk" JSONB NOT NULL,
    "sealed" TEXT NOT NULL,
    "state" "SigningKeyState" NOT NULL DEFAULT 'active',
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "retiredAt" TIMESTAMPTZ(3),

    CONSTRAINT "SigningKey_pkey" PRIMARY KEY ("kid")
);

-- CreateTable
CREATE TABLE "Chatflow" (
    "id" UUID NOT NULL,
    "flowiseId" UUID NOT NULL,
    "name" VARCHAR(500) NOT NULL,
    "description" TEXT,
    "deployed" BOOLEAN NOT NULL DEFAULT false,
    "isPublic" BOOLEAN NOT NULL DEFAULT false,
    "category" TEXT,
    "type" VARCHAR(50),
    "apiKeyId" VARCHAR(64),
    "flowData" TEXT,
    "chatbotConfig" JSONB,
    "apiConfig" JSONB,
    "analyticConfig" JSONB,
    "speechToTextConfig" JSONB,
    "canStream" BOOLEAN NOT NULL DEFAULT false,
    "createdDate" TIMESTAMPTZ(3),
    "updatedDate" TIMESTAMPTZ(3),
    "syncedAt" TIMESTAMPTZ(3),
    "syncStatus" "ChatflowSyncStatus" NOT NULL DEFAULT 'active',
    "syncError" TEXT,
    "costCredits" INTEGER NOT NULL DEFAULT 1,
    "allowOverride" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Chatflow_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ChatflowAssignment" (
    "id" UUID NOT NULL,
    "tenantId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "chatflowId" UUID NOT NULL,
    "isActive" BOOLEAN NOT NULL DEFAULT true,
    "assignedBy" VARCHAR(255),
    "assignedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "removedAt" TIMESTAMPTZ(3),

    CONSTRAINT "ChatflowAssignment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SyncRun" (
    "id" UUID NOT NULL,
    "kind" VARCHAR(30) NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL,
    "finishedAt" TIMESTAMPTZ(3),
    "succeeded" BOOLEAN,
    "statistics" JSONB,
    "error" VARCHAR(500),

    CONSTRAINT "SyncRun_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "CreditAccount" (
    "kind" "AccountKind" NOT NULL,
    "ownerId" UUID NOT NULL,
    "tenantId" UUID NOT NULL,
    "available" INTEGER NOT NULL,
    "held" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "CreditAccount_pkey" PRIMARY KEY ("kind","ownerId")
);

-- CreateTable
CREATE TABLE "CreditHold" (
    "id" UUID NOT NULL,
    "accountKind" "AccountKind" NOT NULL,
    "ownerId" UUID NOT NULL,
    "tenantId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "chatflowId" UUID,
    "requestId" VARCHAR(128) NOT NULL,
    "amount" INTEGER NOT NULL,
    "state" "HoldState" NOT NULL DEFAULT 'held',
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "CreditHold_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "LedgerEntry" (
    "id" UUID NOT NULL,
    "transactionId" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "accountKind" "AccountKind" NOT NULL,
    "accountId" VARCHAR(64) NOT NULL,
    "tenantId" UUID NOT NULL,
    "amount" INTEGER NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "reason" VARCHAR(500),
    "chatflowId" UUID,
    "requestId" VARCHAR(128),
    "actor" JSONB NOT NULL,

    CONSTRAINT "LedgerEntry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AuditEvent" (
    "id" UUID NOT NULL,
    "writeOrder" BIGSERIAL NOT NULL,
    "chain" VARCHAR(64) NOT NULL,
    "seq" BIGINT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actorType" VARCHAR(20) NOT NULL,
    "actorId" VARCHAR(64),
    "action" VARCHAR(100) NOT NULL,
    "targetType" VARCHAR(50),
    "targetId" VARCHAR(128),
    "ip" VARCHAR(64),
    "userAgent" VARCHAR(400),
    "requestId" VARCHAR(128),
    "data" JSONB NOT NULL DEFAULT '{}',
    "prevHash" CHAR(64),
    "hash" CHAR(64),

    CONSTRAINT "AuditEvent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "UsageCursor" (
    "stream" VARCHAR(100) NOT NULL,
    "lastId" VARCHAR(64) NOT NULL,

    CONSTRAINT "UsageCursor_pkey" PRIMARY KEY ("stream")
);

-- CreateTable
CREATE TABLE "Outbox" (
    "id" UUID NOT NULL,
    "kind" VARCHAR(50) NOT NULL,
    "payload" JSONB NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "lastError" VARCHAR(500),
    "dueAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "doneAt" TIMESTAMPTZ(3),

    CONSTRAINT "Outbox_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Plan_name_key" ON "Plan"("name");

-- CreateIndex
CREATE UNIQUE INDEX "Tenant_slug_key" ON "Tenant"("slug");

-- CreateIndex
CREATE INDEX "User_tenantId_username_idx" ON "User"("tenantId", "username");

-- CreateIndex
CREATE INDEX "User_email_idx" ON "User"("email");

-- CreateIndex
CREATE UNIQUE INDEX "User_issuer_sub_key" ON "User"("issuer", "sub");

-- CreateIndex
CREATE UNIQUE INDEX "ApiKey_secretHash_key" ON "ApiKey"("secretHash");

-- CreateIndex
CREATE INDEX "ApiKey_tenantId_userId_createdAt_id_idx" ON "ApiKey"("tenantId", "userId", "createdAt" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "ApiKey_createdByType_createdById_idx" ON "ApiKey"("createdByType", "createdById");

-- CreateIndex
CREATE INDEX "TokenFamily_userId_idx" ON "TokenFamily"("userId");

-- CreateIndex
CREATE INDEX "TokenFamily_apiKeyId_idx" ON "TokenFamily"("apiKeyId");

-- CreateIndex
CREATE UNIQUE INDEX "RefreshToken_hash_key" ON "RefreshToken"("hash");

-- CreateIndex
CREATE INDEX "RefreshToken_familyId_idx" ON "RefreshToken"("familyId");

-- CreateIndex
CREATE INDEX "RefreshToken_expiresAt_idx" ON "RefreshToken"("expiresAt");

-- CreateIndex
CREATE UNIQUE INDEX "Chatflow_flowiseId_key" ON "Chatflow"("flowiseId");

-- CreateIndex
CREATE INDEX "Chatflow_name_trgm" ON "Chatflow" USING GIN ("name" gin_trgm_ops);

-- CreateIndex
CREATE INDEX "ChatflowAssignment_chatflowId_idx" ON "ChatflowAssignment"("chatflowId");

-- CreateIndex
CREATE UNIQUE INDEX "ChatflowAssignment_userId_chatflowId_key" ON "ChatflowAssignment"("userId", "chatflowId");

-- CreateIndex
CREATE INDEX "SyncRun_kind_startedAt_idx" ON "SyncRun"("kind", "startedAt" DESC);

-- CreateIndex
CREATE INDEX "CreditHold_state_expiresAt_idx" ON "CreditHold"("state", "expiresAt");

-- CreateIndex
CREATE INDEX "LedgerEntry_accountKind_accountId_at_id_idx" ON "LedgerEntry"("accountKind", "accountId", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "LedgerEntry_transactionId_idx" ON "LedgerEntry"("transactionId");

-- CreateIndex
CREATE UNIQUE INDEX "AuditEvent_writeOrder_key" ON "AuditEvent"("writeOrder");

-- CreateIndex
CREATE INDEX "AuditEvent_chain_at_idx" ON "AuditEvent"("chain", "at" DESC);

-- CreateIndex
CREATE INDEX "AuditEvent_actorId_at_idx" ON "AuditEvent"("actorId", "at" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "AuditEvent_chain_seq_key" ON "AuditEvent"("chain", "seq");

-- CreateIndex
CREATE INDEX "Outbox_doneAt_dueAt_idx" ON "Outbox"("doneAt", "dueAt");

-- AddForeignKey
ALTER TABLE "Tenant" ADD CONSTRAINT "Tenant_planId_fkey" FOREIGN KEY ("planId") REFERENCES "Plan"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "User" ADD CONSTRAINT "User_tenantId_fkey" FOREIGN KEY ("tenantId") REFERENCES "Tenant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_tenantId_fkey" FOREIGN KEY ("tenantId") REFERENCES "Tenant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OwnerGrant" ADD CONSTRAINT "OwnerGrant_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RefreshToken" ADD CONSTRAINT "RefreshToken_familyId_fkey" FOREIGN KEY ("familyId") REFERENCES "TokenFamily"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ChatflowAssignment" ADD CONSTRAINT "ChatflowAssignment_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ChatflowAssignment" ADD CONSTRAINT "ChatflowAssignment_chatflowId_fkey" FOREIGN KEY ("chatflowId") REFERENCES "Chatflow"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- Written by hand from here: what Prisma's schema cannot say.
ALTER TABLE "CreditAccount" ADD CONSTRAINT "CreditAccount_never_below_zero" CHECK ("available" >= 0 AND "held" >= 0);
ALTER TABLE "CreditHold" ADD CONSTRAINT "CreditHold_amount_positive" CHECK ("amount" >= 0);

-- The sealer looks for these, in their order.
CREATE INDEX "AuditEvent_unsealed" ON "AuditEvent" ("writeOrder") WHERE "seq" IS NULL;

INSERT INTO "Plan" ("id", "name", "limits", "monthlyCredits", "updatedAt")
VALUES ('00000000-0000-7000-8000-000000000001', 'default', '{}', 1000, CURRENT_TIMESTAMP);
