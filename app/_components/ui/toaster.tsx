"use client";

import { useTheme } from "next-themes";
import type { CSSProperties } from "react";
import { Toaster as Sonner } from "sonner";

const colours = {
  "--normal-bg": "var(--surface)", "--normal-text": "var(--foreground)", "--normal-border": "var(--line)", "--border-radius": "var(--radius-lg)", fontFamily: "inherit",
} as CSSProperties;

export function Toaster() {
  const { resolvedTheme } = useTheme();
  return <Sonner theme={resolvedTheme === "dark" ? "dark" : "light"} position="bottom-right" style={colours} toastOptions={{ classNames: { content: "min-w-0", title: "wrap-anywhere", description: "text-muted! wrap-anywhere" } }} />;
}
