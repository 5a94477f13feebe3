"use client";

import { ThemeProvider } from "next-themes";
import type { ReactNode } from "react";

/** Light or dark by a class, as the person chose or their system says. The nonce lets it be set before the first paint. */
export function Theme({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  return <ThemeProvider attribute="class" defaultTheme="system" enableSystem disableTransitionOnChange nonce={nonce}>{children}</ThemeProvider>;
}
