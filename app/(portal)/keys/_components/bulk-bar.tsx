"use client";

import { Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";

const BulkRevokeDialog = dynamic(() => import("./bulk-revoke-dialog").then((file) => file.BulkRevokeDialog));

/** What can be done to the ticked keys. */
export function BulkBar({ chosen, shown, onSelectAll, onClear }: { chosen: ApiKeyView[]; shown: number; onSelectAll: () => void; onClear: () => void }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <div role="region" aria-label="Selected keys" className="flex flex-wrap items-center gap-2 border-b bg-primary-soft px-4 py-2 text-sm text-primary-ink">
      <p role="status" className="mr-auto font-medium tabular-nums">{chosen.length === 1 ? "1 key selected" : `${chosen.length} keys selected`}</p>
      {chosen.length < shown && <Button variant="quiet" size="sm" onClick={onSelectAll}>Select all {shown}</Button>}
      <Button variant="quiet" size="sm" onClick={onClear}>Clear</Button>
      <Button variant="danger" size="sm" onClick={() => setAsking(true)}><Trash2 aria-hidden />Revoke …</Button>
      {isAsking && <BulkRevokeDialog chosen={chosen} onClose={() => setAsking(false)} onRevoked={onClear} />}
    </div>
  );
}
