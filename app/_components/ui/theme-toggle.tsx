"use client";

import { Moon, Sun } from "lucide-react";
import { useTheme } from "next-themes";
import { Button } from "./button";

/** From light to dark and back. Which icon shows is up to the class, so that nothing flickers before the browser knows. */
export function ThemeToggle({ className }: { className?: string }) {
  const { resolvedTheme, setTheme } = useTheme();
  return (
    <Button variant="quiet" size="icon" aria-label="Switch between light and dark" className={className} onClick={() => setTheme(resolvedTheme === "dark" ? "light" : "dark")}>
      <Sun aria-hidden className="dark:hidden" /><Moon aria-hidden className="hidden dark:block" />
    </Button>
  );
}
