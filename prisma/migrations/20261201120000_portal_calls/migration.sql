ALTER TABLE "RequestLog" ADD COLUMN "portal" BOOLEAN NOT NULL DEFAULT false;

-- Of earlier calls only the portal's forms can be told by their names; what its pages read looks like a token's call.
UPDATE "RequestLog" SET "portal" = true WHERE "apiKeyId" IS NULL AND "route" LIKE 'portal/%';
UPDATE "UsageRollup" SET "apiKeyId" = '00000000-0000-0000-0000-000000000001' WHERE "apiKeyId" = '00000000-0000-0000-0000-000000000000' AND "route" LIKE 'portal/%';
