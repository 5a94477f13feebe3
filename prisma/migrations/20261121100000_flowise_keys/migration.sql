-- CreateTable
CREATE TABLE "FlowiseKey" (
    "id" VARCHAR(64) NOT NULL,
    "salt" VARCHAR(64) NOT NULL,
    "sealed" TEXT NOT NULL,
    "syncedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "FlowiseKey_pkey" PRIMARY KEY ("id")
);
