import { createHash } from "node:crypto";

/** Tokens of Keycloak, of ours and of sessions' cookies; our keys; what goes before a credential in a header; a code on its way. */
const shapes = /eyJ[\w-]{20,}|\b(?:slk|srt)_[0-9A-Za-z]{43,}|\b(?:basic|bearer) [\w+/=.-]{16,}|[?&]code=[\w.-]{16,}/gi;

/** A signed token in clear, as Keycloak's and ours are: what may be looked for where encrypted ones (a session's cookie) belong. */
export const signedToken = /eyJ[\w-]{10,}\.eyJ[\w-]+\.[\w-]+/;

/**
 * Where in a text a part of any token stands, signed or encrypted, whole or cut off: base64url that reads as JSON. The letters that
 * such a part begins with mean nothing alone, since identifiers and hashes have them, too, by chance.
 */
export function tokenPartsIn(text: string): number[] {
  return [...text.matchAll(/(?=(eyJ[\w-]{8,64}))/g)].filter(([, part = ""]) => /^\{"[\w#-]+"\s*:/.test(Buffer.from(part, "base64url").toString("latin1"))).map(({ index }) => index);
}

/** What of a server's settings nobody may read anywhere, by the setting's name: secrets, each key of a ring, passwords in addresses. */
export function secretsOf(settings: Record<string, string>): [name: string, value: string][] {
  return Object.entries(settings).flatMap(([name, value]): [string, string][] => {
    const password = URL.canParse(value) ? decodeURIComponent(new URL(value).password) : "";
    if (password) return [[name, password]];
    if (!/(?:SECRET|KEKS|TOKEN|_KEY)$/.test(name)) return [];
    return value.split(",").map((one) => [name, one.slice(one.indexOf(":") + 1)]);
  }).filter(([, value]) => value.length >= 12);
}

/**
 * What a log tells that it must not, as `what: the place`, with nothing of the secret itself.
 *
 * @param secrets what each is, and its value.
 * @param sessionIds of all sessions: whatever hashes to one of them is a handle, as it is in a cookie.
 */
export function leaksIn(log: string, secrets: [name: string, value: string][], sessionIds: ReadonlySet<string>): string[] {
  const found = secrets.flatMap(([name, value]) => [value, encodeURIComponent(value)].map((form) => [name, log.indexOf(form)] as const));
  const shaped = [...log.matchAll(shapes)].map(({ index }) => ["a token, key or code", index] as const);
  const handles = [...log.matchAll(/(?<![\w-])[\w-]{43}(?![\w-])/g)].filter(([word]) => sessionIds.has(createHash("sha256").update(word).digest("base64url"))).map(({ index }) => ["a session's handle", index] as const);
  // Its line as far as there, in which another may stand.
  const place = (at: number) => secrets.reduce((line, [name, value]) => line.replaceAll(value, `[${name}]`), log.slice(log.lastIndexOf("\n", at) + 1, at)).replace(shapes, "[…]").slice(-200);
  return [...found, ...shaped, ...handles].filter(([, at]) => at >= 0).map(([what, at]) => `${what}: ${place(at)}`);
}
