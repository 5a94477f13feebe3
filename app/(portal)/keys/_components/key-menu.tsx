"use client";

import { useQueryClient } from "@tanstack/react-query";
import { MoreHorizontal } from "lucide-react";
import dynamic from "next/dynamic";
import { lazy, useState } from "react";
import { toast } from "sonner";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Button } from "@/app/_components/ui/button";
import { LazyMenu } from "@/app/_components/ui/lazy-menu";
import { setKeyActiveAction } from "../actions";

const load = () => import("./key-menu-panel").then((file) => ({ default: file.KeyMenuPanel }));
const KeyMenuPanel = lazy(load);
const RevokeKeyDialog = dynamic(() => import("./revoke-key-dialog").then((file) => file.RevokeKeyDialog));
const DisableKeyDialog = dynamic(() => import("./disable-key-dialog").then((file) => file.DisableKeyDialog));

/** What can be done to one key. A revoked one can only be looked at. */
export function KeyMenu({ apiKey }: { apiKey: ApiKeyView }) {
  const queries = useQueryClient();
  const [asked, setAsked] = useState<"revoke" | "disable" | null>(null);
  const again = () => void queries.invalidateQueries({ queryKey: ["api-keys"] });
  const close = () => setAsked(null);

  async function enable() {
    const result = await setKeyActiveAction({ id: apiKey.id, isActive: true }).catch(() => null);
    again();
    if (result?.ok) toast.success(`“${apiKey.name}” works again`);
    else toast.error("The key stays disabled", { description: result ? refusalText(result.problem) : "The portal did not answer." });
  }

  const trigger = <Button variant="quiet" size="icon-sm" aria-label={`Actions for ${apiKey.name}`}><MoreHorizontal aria-hidden /></Button>;
  return (
    <>
      <LazyMenu trigger={trigger} preload={() => void load()}>
        <KeyMenuPanel trigger={trigger} apiKey={apiKey} onEnable={() => void enable()} onAsk={setAsked} />
      </LazyMenu>
      {asked === "revoke" && <RevokeKeyDialog apiKey={apiKey} onClose={close} onRevoked={() => { again(); toast.success(`“${apiKey.name}” is revoked`, { description: "No call with it is admitted any more." }); }} />}
      {asked === "disable" && <DisableKeyDialog apiKey={apiKey} onClose={close} onDisabled={again} />}
    </>
  );
}
