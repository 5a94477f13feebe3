"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { Button } from "@/app/_components/ui/button";
import { FormLoading } from "@/app/_components/ui/dialog";
import type { KeyChoices } from "./key-form-schema";
import { SecretDialog } from "./secret-dialog";

// The form brings its schema and validation along; a page of keys should not wait for them.
const CreateKeyForm = dynamic(() => import("./create-key-form").then((file) => file.CreateKeyForm), { loading: () => <FormLoading /> });

export function CreateKeyDialog({ choices, baseUrl, label = "Create key" }: { choices: KeyChoices; baseUrl: string; label?: string }) {
  const queries = useQueryClient();
  return (
    <SecretDialog
      wide baseUrl={baseUrl} trigger={<Button><Plus aria-hidden />{label}</Button>}
      title="Create an API key" description="A program that sends it acts as you, within what you allow here." ifLost="If you lose it, revoke it and create another."
    >
      {(reveal) => (
        <CreateKeyForm choices={choices} onCreated={({ key, secret, message }) => {
          reveal({ title: `Key “${key.name}” is ready`, secret, ...(message && { message }) });
          void queries.invalidateQueries({ queryKey: ["api-keys"] });
        }} />
      )}
    </SecretDialog>
  );
}
