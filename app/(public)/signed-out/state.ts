import "server-only";
import { cookies } from "next/headers";
import { portalFacts } from "@/lib/entry/portal";

const seconds = 600;
const isHttps = () => portalFacts().baseUrl.startsWith("https://");
const cookieName = () => (isHttps() ? "__Host-sluice.signing-out" : "sluice.signing-out");

/** Remembers in this browser that it has been signed out, and by what the page of the signed-out may tell: Keycloak hands it back where it was asked too. */
export async function expectSignedOut(state: string): Promise<void> {
  (await cookies()).set(cookieName(), state, { httpOnly: true, sameSite: "lax", path: "/", secure: isHttps(), maxAge: seconds });
}

/** Whether it is this browser that was signed out, here and at Keycloak: anybody may link to the page that says so. */
export async function cameFromKeycloak(state: unknown): Promise<boolean> {
  return typeof state === "string" && state !== "" && (await cookies()).get(cookieName())?.value === state;
}
