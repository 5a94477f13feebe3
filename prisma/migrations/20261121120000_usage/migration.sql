-- CreateTable
CREATE TABLE "UsageRollup" (
    "tenantId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "apiKeyId" UUID NOT NULL,
    "route" VARCHAR(200) NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "requests" BIGINT NOT NULL DEFAULT 0,
    "refused" BIGINT NOT NULL DEFAULT 0,
    "answered" BIGINT NOT NULL DEFAULT 0,
    "errors" BIGINT NOT NULL DEFAULT 0,
    "credits" BIGINT NOT NULL DEFAULT 0,
    "latency" INTEGER[] DEFAULT ARRAY[]::INTEGER[],

    CONSTRAINT "UsageRollup_pkey" PRIMARY KEY ("apiKeyId","hour","userId","route")
);

-- CreateTable
-- Partitioned by day, which Prisma cannot say: written by hand, and an expected difference to the schema. Partitions are
-- made by the worker, ahead of time.
CREATE TABLE "RequestLog" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "requestId" VARCHAR(128) NOT NULL,
    "tenantId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "apiKeyId" UUID,
    "method" VARCHAR(10) NOT NULL,
    "route" VARCHAR(200) NOT NULL,
    "status" INTEGER NOT NULL,
    "code" VARCHAR(50),
    "ms" INTEGER NOT NULL,
    "upstream" VARCHAR(20),
    "refId" VARCHAR(200),
    "credits" INTEGER NOT NULL DEFAULT 0,
    "ip" VARCHAR(64),
    "userAgent" VARCHAR(400),
    "earlierSecret" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "RequestLog_pkey" PRIMARY KEY ("at","id")
) PARTITION BY RANGE ("at");

-- CreateIndex
CREATE INDEX "UsageRollup_userId_hour_idx" ON "UsageRollup"("userId", "hour");

-- CreateIndex
CREATE INDEX "RequestLog_userId_at_id_idx" ON "RequestLog"("userId", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "RequestLog_apiKeyId_at_id_idx" ON "RequestLog"("apiKeyId", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "RequestLog_tenantId_at_id_idx" ON "RequestLog"("tenantId", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "RequestLog_requestId_idx" ON "RequestLog"("requestId");

