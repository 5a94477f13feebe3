"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { ApiKeyView, RotationView } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { RelativeTime } from "@/app/_components/ui/relative-time";
import { FormLoading, Skeleton } from "@/app/_components/ui/skeleton";
import { rotationQuery } from "./rotation-query";

const SecretDialog = dynamic(() => import("../../_components/secret-dialog").then((file) => file.SecretDialog));
const RotateForm = dynamic(() => import("./rotate-form").then((file) => file.RotateForm), { loading: () => <FormLoading /> });
const EndRotationDialog = dynamic(() => import("./end-rotation-dialog").then((file) => file.EndRotationDialog));

type RotationPanelProps = { apiKey: ApiKeyView; /** Undefined where it could not be read. */ initial: RotationView | null | undefined; baseUrl: string; mayManage: boolean };

/** A new secret for the same key; and while the old one still works, who sends it. */
export function RotationPanel({ apiKey, initial, baseUrl, mayManage }: RotationPanelProps) {
  const router = useRouter();
  const queries = useQueryClient();
  const rotation = useQuery({ ...rotationQuery(apiKey.id), initialData: initial });
  const [isRotating, setRotating] = useState(false);
  const [wasOpened, setWasOpened] = useState(false);
  const [isEnding, setEnding] = useState(false);

  function again() {
    void queries.invalidateQueries({ queryKey: ["api-keys"] });
    router.refresh();
  }

  /** An answer that got lost may have been a rotation all the same. */
  function readRotation() {
    void queries.invalidateQueries({ queryKey: rotationQuery(apiKey.id).queryKey });
  }

  return (
    <Card id="rotation" aria-label="Rotation" className="scroll-mt-6">
      <CardHeader title="Rotation" hint={rotation.data ? undefined : "A new secret for the same key. Its name, limits and past stay."} />
      <CardBody className="space-y-4 text-sm">
        {rotation.data ? <RunningOverlap rotation={rotation.data} />
          : rotation.isError ? <p role="alert" className="text-muted">Who still calls with the old secret cannot be read: {rotation.error.message}</p>
          : rotation.data === undefined ? <Skeleton className="h-16" /> : null}
        {mayManage && (rotation.data
          ? <Button variant="secondary" size="sm" onClick={() => setEnding(true)}>End it now</Button>
          : rotation.data === null && <Button variant="secondary" size="sm" onClick={() => { setWasOpened(true); setRotating(true); }}><RotateCw aria-hidden />Rotate …</Button>)}
      </CardBody>
      {wasOpened && <SecretDialog
        isOpen={isRotating} onOpenChange={setRotating} baseUrl={baseUrl} onClosed={(isMade) => (isMade ? again() : readRotation())}
        title={`Rotate “${apiKey.name}”`} description="You get a new secret, and the old one can go on for a while, so that no program stops meanwhile." ifLost="If you lose it, end the overlap and rotate once more."
      >
        {(reveal) => <RotateForm apiKey={apiKey} onRotated={({ secret, message }) => reveal({ title: `The new secret of “${apiKey.name}”`, secret, ...(message && { message }) })} />}
      </SecretDialog>}
      {isEnding && <EndRotationDialog apiKey={apiKey} lastUsedAt={rotation.data?.previousSecretLastUsedAt ?? null} onClose={() => setEnding(false)} onEnded={again} />}
    </Card>
  );
}

function RunningOverlap({ rotation: { overlapEndsAt, previousSecretLastUsedAt, callers } }: { rotation: RotationView }) {
  return (
    <>
      <p>The old secret stops working <strong className="font-medium"><RelativeTime at={overlapEndsAt} /></strong>. {previousSecretLastUsedAt ? <>It was last used <RelativeTime at={previousSecretLastUsedAt} />.</> : "It was not used since the rotation."}</p>
      {callers.length > 0 && (
        <div>
          <p id="rotation-callers" className="text-xs font-medium text-muted">Who still calls with it</p>
          <ul aria-labelledby="rotation-callers" className="mt-1.5 divide-y rounded-md border">
            {callers.map((caller) => (
              <li key={`${caller.ip} ${caller.userAgent}`} className="px-3 py-2">
                <p className="flex flex-wrap items-baseline justify-between gap-x-3"><span className="font-mono text-[0.8125rem] break-all">{caller.ip ?? "address not known"}</span><span className="text-xs text-muted tabular-nums">{caller.requests.toLocaleString("en")} {caller.requests === 1 ? "call" : "calls"}, <RelativeTime at={caller.lastUsedAt} /></span></p>
                <p className="text-xs wrap-anywhere text-muted">{caller.userAgent ?? "no agent named"}</p>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
