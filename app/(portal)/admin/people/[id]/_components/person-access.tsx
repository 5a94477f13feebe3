"use client";

import { DoorOpen, ShieldOff } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { toast } from "sonner";
import type { PersonDetails, RevokePersonAnswer } from "@/lib/people/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { Notice } from "@/app/_components/ui/notice";
import { updatePersonAction } from "../../actions";
import { CutOffDialog } from "./cut-off-dialog";

const keycloakWords: Record<RevokePersonAnswer["keycloak_sessions"], string> = {
  ended: "Keycloak’s own sessions ended too.",
  not_permitted: "Keycloak’s own sessions live on: the service account may only read. End them there if other applications matter.",
  not_configured: "Keycloak’s own sessions live on. End them there if other applications matter.",
  unavailable: "Keycloak did not answer, so its own sessions may live on.",
  not_asked: "Keycloak’s own sessions were left alone.",
};

/** To cut somebody off, and to let them in again. */
export function PersonAccess({ person, isSelf }: { person: PersonDetails; isSelf: boolean }) {
  const router = useRouter();
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [ended, setEnded] = useState<RevokePersonAnswer | null>(null);

  async function letIn() {
    setBusy(true);
    try {
      const result = await updatePersonAction({ id: person.id, is_active: true });
      if (!result.ok) toast.error("They stay out", { description: refusalText(result.problem) });
      else if (result.data.is_active) toast.success(`${person.username} may sign in again`);
      else toast.warning("Lifted here", { description: "Keycloak still does not have them enabled, so they stay out until it does." });
      setEnded(null);
    } catch {
      toast.error("The portal did not answer", { description: "Check your connection and try again." });
    } finally {
      setBusy(false);
      router.refresh();
    }
  }

  return (
    <Card aria-label="Access">
      <CardHeader title="Access" hint="Ends at once, on every server, what this person and their programs act by." />
      <CardBody className="space-y-3">
        {ended && <Notice live tone="good" title={`${person.username} is cut off`}>{ended.message} {keycloakWords[ended.keycloak_sessions]}</Notice>}
        {person.kept_out && <p className="text-sm">An administrator keeps them out. Signing in again does not help them, nor does Keycloak.</p>}
        <div className="flex flex-wrap gap-2">
          {person.kept_out && <Button variant="secondary" size="sm" busy={busy} onClick={() => void letIn()}><DoorOpen aria-hidden />Let back in</Button>}
          <Button variant="danger" size="sm" onClick={() => setAsked(true)}><ShieldOff aria-hidden />Cut this person off …</Button>
        </div>
      </CardBody>
      {asked && <CutOffDialog person={person} isSelf={isSelf} onClose={() => setAsked(false)} onEnded={(answer) => { setEnded(answer); router.refresh(); }} />}
    </Card>
  );
}
