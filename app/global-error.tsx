"use client";

import ErrorFace from "./error";
import "./globals.css";

/** The last face, when even the frame of all pages failed. */
export default function GlobalErrorFace(props: { error: Error & { digest?: string }; retry: () => void }) {
  return <html lang="en"><body><ErrorFace {...props} /></body></html>;
}
