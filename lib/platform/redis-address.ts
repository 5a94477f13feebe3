/**
 * Where Redis is: one server (`redis://`, `rediss://`), or a primary that Sentinels know by name
 * (`redis+sentinel://user:password@host:port,host:port/name[/database]?sentinelUsername=…&sentinelPassword=…`, with TLS
 * to both `rediss+sentinel://`). User and password are those of Redis; names and passwords are percent-encoded.
 */
export type RedisAddress =
  | { kind: "server"; url: string }
  | { kind: "sentinel"; sentinels: { host: string; port: number }[]; name: string; tls: boolean; database: number; username?: string; password?: string; sentinelUsername?: string; sentinelPassword?: string };

const sentinelPort = 26379;
const sentinelForm = /^(rediss?)\+sentinel:\/\/(?:([^@/?]*)@)?([^@/?]*)(?:\/([^/?]*))?(?:\/([^/?]*))?(?:\?(.*))?$/;
const shape = "redis+sentinel://host:port,host:port/name";

/** What is wrong with the address, without a word of it: it may hold a password. */
export class BadRedisAddress extends Error {
  override name = "BadRedisAddress";
}

/** @throws BadRedisAddress */
export function parseRedisAddress(url: string): RedisAddress {
  if (/^rediss?:\/\//.test(url)) {
    if (!URL.canParse(url)) throw new BadRedisAddress(`cannot be read; several Sentinels are given as ${shape}`);
    return { kind: "server", url };
  }
  const [matched, scheme, userInfo, hosts = "", name = "", database = "0", query = ""] = sentinelForm.exec(url) ?? [];
  if (matched === undefined) throw new BadRedisAddress("must be a redis://, rediss://, redis+sentinel:// or rediss+sentinel:// URL");
  if (!name) throw new BadRedisAddress(`must name the primary as its Sentinels know it: ${shape}`);
  if (!/^\d{1,4}$/.test(database)) throw new BadRedisAddress(`must have a number as its database: ${shape}/0`);
  const [username, password] = credentialsIn(userInfo);
  return {
    kind: "sentinel", sentinels: hosts.split(",").map(hostIn), name: decoded(name), tls: scheme === "rediss", database: Number(database),
    ...(username && { username }), ...(password && { password }), ...optionsIn(query),
  };
}

function hostIn(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? sentinelPort : Number(port);
  if (!host || number < 1 || number > 65535) throw new BadRedisAddress(`must list its Sentinels with a comma between them: ${shape}`);
  return { host, port: number };
}

function credentialsIn(userInfo: string | undefined): [string, string] {
  if (!userInfo) return ["", ""];
  const at = userInfo.indexOf(":");
  return at < 0 ? [decoded(userInfo), ""] : [decoded(userInfo.slice(0, at)), decoded(userInfo.slice(at + 1))];
}

function optionsIn(query: string): { sentinelUsername?: string; sentinelPassword?: string } {
  const given: Record<string, string> = {};
  for (const pair of query.split("&").filter(Boolean)) {
    const at = pair.indexOf("=");
    const key = pair.slice(0, Math.max(at, 0));
    // Not by URLSearchParams, which makes a space of a plus: passwords have those.
    if (key !== "sentinelUsername" && key !== "sentinelPassword") throw new BadRedisAddress("may carry sentinelUsername and sentinelPassword after the question mark, and nothing else");
    given[key] = decoded(pair.slice(at + 1));
  }
  return given;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadRedisAddress("must have its names and passwords percent-encoded");
  }
}
