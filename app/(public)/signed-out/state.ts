import "server-only";
import { cookies } from "next/headers";
import { portalFacts } from "@/lib/entry/portal";

const seconds = 600;
const isHttps = () => portalFacts().baseUrl.startsWith("https://");
const cookieName = () => (isHttps() ? "__Host-sluice.signing-out" : "sluice.signing-out");

/** Remembers in this browser that it was sent to Keycloak to sign out, and what it brings back from there. */
export async function expectSignedOut(state: string): Promise<void> {
  (await cookies()).set(cookieName(), state, { httpOnly: true, sameSite: "lax", path: "/", secure: isHttps(), maxAge: seconds });
}

/** Whether this browser comes back from Keycloak, where we sent it to sign out: anybody may link to the page that says so. */
export async function cameFromKeycloak(state: unknown): Promise<boolean> {
  return typeof state === "string" && state !== "" && (await cookies()).get(cookieName())?.value === state;
}
