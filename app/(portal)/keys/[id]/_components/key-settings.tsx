"use client";

import { Pencil } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Permission } from "@/lib/access/permissions";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { Skeleton } from "@/app/_components/ui/skeleton";
import type { KeyChoices } from "../../_components/key-form-schema";

// Most come to look; the form and its validation come with the wish to change.
const SettingsForm = dynamic(() => import("./settings-form").then((file) => file.SettingsForm), { loading: () => <div className="space-y-5"><Skeleton className="h-15" /><Skeleton className="h-24" /><Skeleton className="h-64" /></div> });

type KeySettingsProps = { apiKey: ApiKeyView; held: readonly Permission[]; choices: KeyChoices; mayManage: boolean; /** The facts, as long as nobody changes them. */ children: ReactNode };

export function KeySettings({ apiKey, held, choices, mayManage, children }: KeySettingsProps) {
  const [isEditing, setEditing] = useState(false);
  const change = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);
  useEffect(() => {
    // The form took the focus with it. Only now is the button there, however long the closing took.
    if (wasEditing.current && !isEditing) change.current?.focus();
    wasEditing.current = isEditing;
  }, [isEditing]);
  return (
    <Card id="settings" aria-label="Settings" className="scroll-mt-6">
      <CardHeader title={isEditing ? "Change settings" : "Settings"} aside={mayManage && !isEditing && <Button ref={change} variant="secondary" size="sm" onClick={() => setEditing(true)}><Pencil aria-hidden />Change</Button>} />
      <CardBody>
        {isEditing ? <SettingsForm apiKey={apiKey} held={held} choices={choices} onDone={() => setEditing(false)} /> : children}
      </CardBody>
    </Card>
  );
}
