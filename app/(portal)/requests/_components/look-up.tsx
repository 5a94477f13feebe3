"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useTransition } from "react";
import { Button } from "@/app/_components/ui/button";
import { Input } from "@/app/_components/ui/input";
import { requestPage } from "@/app/_components/ui/request-reference";

const label = "Look up a request id";

/** For whoever has a refusal in hand, and so its id: among many calls it would be looked for in vain. */
export function LookUp() {
  const router = useRouter();
  const [isOpening, start] = useTransition();

  function open(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const requestId = String(new FormData(event.currentTarget).get("requestId")).trim();
    if (requestId) start(() => router.push(requestPage(requestId)));
  }

  return (
    <form role="search" aria-label="Look up a request" className="flex w-full min-w-0 items-center gap-2 sm:w-auto sm:max-w-96 sm:flex-1 sm:basis-80 xl:ml-auto" onSubmit={open}>
      <Input name="requestId" aria-label={label} placeholder={label} className="min-w-0 flex-1 font-mono placeholder:font-sans" maxLength={128} autoComplete="off" spellCheck={false} required />
      <Button type="submit" variant="secondary" busy={isOpening}>Look up</Button>
    </form>
  );
}
