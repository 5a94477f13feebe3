"use client";

import { CirclePause, CirclePlay, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { toast } from "sonner";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { setKeyActiveAction } from "../../actions";

const RevokeKeyDialog = dynamic(() => import("../../_components/revoke-key-dialog").then((file) => file.RevokeKeyDialog));
const DisableKeyDialog = dynamic(() => import("../../_components/disable-key-dialog").then((file) => file.DisableKeyDialog));

/** To stop a key: for a while, or for good. */
export function KeyDanger({ apiKey, created }: { apiKey: ApiKeyView; created: readonly string[] }) {
  const router = useRouter();
  const [asked, setAsked] = useState<"revoke" | "disable" | null>(null);
  const [busy, setBusy] = useState(false);
  const close = () => setAsked(null);
  const again = () => router.refresh();

  async function enable() {
    setBusy(true);
    try {
      const result = await setKeyActiveAction({ id: apiKey.id, isActive: true });
      if (result.ok) toast.success(`“${apiKey.name}” works again`);
      else toast.error("The key stays disabled", { description: refusalText(result.problem) });
    } catch {
      toast.error("The portal did not answer", { description: "Check your connection and try again." });
    } finally {
      setBusy(false);
      again();
    }
  }

  return (
    <Card aria-label="Stop this key">
      <CardHeader title="Stop this key" hint="Disabled, it can be enabled again. Revoked, it is gone for good." />
      <CardBody className="flex flex-wrap gap-2">
        {apiKey.isActive
          ? <Button variant="secondary" size="sm" onClick={() => setAsked("disable")}><CirclePause aria-hidden />Disable</Button>
          : <Button variant="secondary" size="sm" busy={busy} onClick={() => void enable()}><CirclePlay aria-hidden />Enable</Button>}
        <Button variant="danger" size="sm" onClick={() => setAsked("revoke")}><Trash2 aria-hidden />Revoke …</Button>
      </CardBody>
      {asked === "revoke" && <RevokeKeyDialog apiKey={apiKey} created={created} onClose={close} onRevoked={() => { again(); toast.success(`“${apiKey.name}” is revoked`, { description: "No call with it is admitted any more." }); }} />}
      {asked === "disable" && <DisableKeyDialog apiKey={apiKey} onClose={close} onDisabled={again} />}
    </Card>
  );
}
