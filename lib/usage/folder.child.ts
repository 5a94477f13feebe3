// A worker that folds as fast as it can, for the test that kills it.
import { redisReady } from "@/lib/platform/redis";
import { foldUsage } from ".";

await redisReady();
process.stdout.write("started\n");
for (;;) await foldUsage();
