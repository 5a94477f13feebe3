import Link from "next/link";
import { Button } from "../ui/button";
import { Wordmark } from "../ui/mark";
import { ThemeToggle } from "../ui/theme-toggle";
import { SkipLink } from "./skip-link";

/** The top of pages that anybody may see. */
export function PublicHeader({ isSignedIn }: { isSignedIn: boolean }) {
  return (
    <>
      <SkipLink />
      <header className="border-b bg-surface/80">
        <div className="mx-auto flex h-15 max-w-6xl items-center justify-between gap-4 px-5 sm:px-8">
          <Link href="/" aria-label="Sluice, start page" className="rounded-md text-foreground"><Wordmark className="[&_svg]:text-primary" /></Link>
          <nav aria-label="Main" className="flex items-center gap-1">
            <Button asChild variant="quiet" size="sm"><Link href="/docs">Docs</Link></Button>
            <ThemeToggle className="size-8" />
            <Button asChild size="sm" className="ml-1">{isSignedIn ? <Link href="/overview">Open the portal</Link> : <Link href="/sign-in">Sign in</Link>}</Button>
          </nav>
        </div>
      </header>
    </>
  );
}
