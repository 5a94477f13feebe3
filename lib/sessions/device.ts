import { z } from "zod";
import { seal, unseal } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";
import { sealingRing } from "@/lib/platform/key-rings";
import type { SessionMeta } from "./record";

/** Where somebody signed in. */
export type Device = { ip: string | null; userAgent: string | null };
const Device = z.object({ ip: z.string().nullable(), userAgent: z.string().nullable() });

/** By the server's ring and no share: the list of one's sessions is made without their cookies. Addresses are not in clear in the store. */
const boundTo = (id: string, sub: string) => ({ salt: id, info: "sluice/session-device/1", aad: `1|${id}|device|${sub}` });

export function sealDevice(id: string, sub: string, { ip, userAgent }: Device): string {
  return seal(sealingRing("SESSION_KEKS"), JSON.stringify({ ip, userAgent }), boundTo(id, sub));
}

/** Nothing known when it does not open: a list must not fail for one row of it. */
export function openDevice(id: string, meta: SessionMeta): Device {
  try {
    return Device.parse(JSON.parse(unseal(env().SESSION_KEKS, meta.device, boundTo(id, meta.sub))));
  } catch {
    return { ip: null, userAgent: null };
  }
}

// The order matters: each of them also says that it is one of those below.
const browsers: [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\/(\d+)/, "Edge"], [/\bOPR\/(\d+)/, "Opera"], [/\bSamsungBrowser\/(\d+)/, "Samsung Internet"], [/\bVivaldi\/(\d+)/, "Vivaldi"],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"], [/\b(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/, "Chrome"], [/\bVersion\/(\d+)[^ ]* .*Safari\//, "Safari"],
];
const systems: [RegExp, string][] = [
  [/\biPad\b/, "iPad"], [/\b(?:iPhone|iPod)\b/, "iPhone"], [/\bAndroid\b/, "Android"], [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"], [/\bMac ?OS ?X?\b|\bMacintosh\b/, "macOS"], [/\bLinux\b/, "Linux"],
];

/** "Firefox 140 on Linux": what a browser says of itself, in words, and no more than people need to know their own again. */
export function deviceWords(userAgent: string | null): string {
  if (!userAgent) return "Unknown browser";
  const known = browsers.flatMap(([pattern, name]) => { const found = pattern.exec(userAgent); return found ? [`${name} ${found[1]}`] : []; })[0];
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1];
  return `${known ?? "Another browser"}${system ? ` on ${system}` : ""}`;
}
