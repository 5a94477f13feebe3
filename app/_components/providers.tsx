"use client";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { StepUp } from "./step-up-dialog";
import { Toaster } from "./ui/toaster";

/** What signed-in pages stand on: queries that refresh themselves, toasts. Public pages do without their weight. */
export function Providers({ userId, children }: { userId: string; children: ReactNode }) {
  const [queries] = useState(() => new QueryClient({ defaultOptions: { queries: { staleTime: 5_000, retry: 1, refetchOnWindowFocus: true } } }));
  return (
    <QueryClientProvider client={queries}>
      {children}
      <StepUp userId={userId} />
      <Toaster />
    </QueryClientProvider>
  );
}
