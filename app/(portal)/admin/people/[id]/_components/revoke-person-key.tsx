"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { toast } from "sonner";
import { refusalText } from "@/app/_components/step-up";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { revokePersonKeyAction } from "../../actions";

export function RevokePersonKey({ id, name }: { id: string; name: string }) {
  const router = useRouter();
  const [asked, setAsked] = useState(false);

  async function revoke(): Promise<string | null> {
    const result = await revokePersonKeyAction({ id });
    if (!result.ok) return refusalText(result.problem);
    toast.success(`“${name}” is revoked`);
    router.refresh();
    return null;
  }

  return (
    <>
      <Button variant="quiet" size="sm" aria-label={`Revoke ${name}`} onClick={() => setAsked(true)}>Revoke</Button>
      <Confirm open={asked} onOpenChange={setAsked} title={`Revoke “${name}”?`} action="Revoke key" phrase={name} onConfirm={revoke}>
        <p>Programs that use it are refused from now on, everywhere and at once, and so are keys that it made. This cannot be undone.</p>
      </Confirm>
    </>
  );
}
