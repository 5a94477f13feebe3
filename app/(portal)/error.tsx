"use client";

import { failureWords } from "../_components/failure-words";
import { Button } from "../_components/ui/button";
import { Card } from "../_components/ui/card";
import { FailedState } from "../_components/ui/failed-state";
import { useComeback } from "../_components/use-comeback";

export default function PortalErrorFace({ error, retry }: { error: Error & { digest?: string }; retry: () => void }) {
  const words = failureWords(error.digest);
  useComeback(error.digest?.replace("sluice.", ""), retry);
  const isEnded = error.digest === "sluice.session_expired";
  return (
    <Card>
      <FailedState
        title={words.title}
        references={[{ label: "Reference", value: error.digest?.startsWith("sluice.") ? undefined : error.digest }]}
        action={isEnded ? <Button asChild><a href="/sign-in">Sign in</a></Button> : words.canRetry && <><Button onClick={retry}>Try again</Button><Button asChild variant="secondary"><a href="/status">What works right now</a></Button></>}
      >{words.text}</FailedState>
    </Card>
  );
}
