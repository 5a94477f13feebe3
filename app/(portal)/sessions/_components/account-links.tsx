import { ExternalLink, KeyRound, ShieldCheck } from "lucide-react";
import { Button } from "@/app/_components/ui/button";

/** Addresses of ours that lead to a page of Keycloak's and back. No links of Next.js: they would be fetched ahead. */
const there = (what: "password" | "second-factor") => `/api/auth/account?do=${what}&returnTo=/sessions`;

export function AccountLinks({ accountUrl }: { accountUrl: string }) {
  return (
    <div className="flex flex-wrap gap-2">
      <Button asChild variant="secondary"><a href={there("password")}><KeyRound aria-hidden />Change password</a></Button>
      <Button asChild variant="secondary"><a href={there("second-factor")}><ShieldCheck aria-hidden />Set up a second factor</a></Button>
      <Button asChild variant="secondary"><a href={accountUrl} target="_blank" rel="noreferrer"><ExternalLink aria-hidden />Account at Keycloak<span className="sr-only"> (opens a new tab)</span></a></Button>
    </div>
  );
}
