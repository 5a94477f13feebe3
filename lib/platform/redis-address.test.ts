import { expect, it } from "vitest";
import { parseRedisAddress } from "./redis-address";

it("one server is given as ever", () => {
  for (const url of ["redis://localhost:6379", "rediss://user:p%40ss@redis.example.com:6380/2"]) expect(parseRedisAddress(url)).toEqual({ kind: "server", url });
});

it("Sentinels are listed with commas, IPv6 in brackets, 26379 where no port is given, and the primary's name behind them", () => {
  expect(parseRedisAddress("redis+sentinel://a:1,b,[::1]:3/main")).toEqual({ kind: "sentinel", sentinels: [{ host: "a", port: 1 }, { host: "b", port: 26379 }, { host: "::1", port: 3 }], name: "main", tls: false, database: 0 });
});

it("passwords of Redis and of its Sentinels are told apart, and percent signs and plus signs are theirs", () => {
  expect(parseRedisAddress("rediss+sentinel://app:p%40s%2Fs+1@a/main/3?sentinelUsername=watch&sentinelPassword=s%26e+2")).toEqual({
    kind: "sentinel", sentinels: [{ host: "a", port: 26379 }], name: "main", tls: true, database: 3, username: "app", password: "p@s/s+1", sentinelUsername: "watch", sentinelPassword: "s&e+2",
  });
  expect(parseRedisAddress("redis+sentinel://:only@a/main")).toMatchObject({ password: "only" });
});
