"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { createContext, type ReactNode, useContext, useState } from "react";
import { Button } from "@/app/_components/ui/button";
import { FormLoading } from "@/app/_components/ui/skeleton";
import type { KeyChoices } from "./key-form-schema";

const SecretDialog = dynamic(() => import("./secret-dialog").then((file) => file.SecretDialog));
// The form brings its schema and validation along; a page of keys should not wait for them.
const CreateKeyForm = dynamic(() => import("./create-key-form").then((file) => file.CreateKeyForm), { loading: () => <FormLoading /> });

const Opener = createContext<(() => void) | null>(null);

/** Holds the one dialog for all buttons below it: the button in the empty list goes with the first key, and must not take the secret along. */
export function CreateKey({ choices, baseUrl, children }: { choices: KeyChoices; baseUrl: string; children: ReactNode }) {
  const queries = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const [wasOpened, setWasOpened] = useState(false);
  return (
    <Opener value={() => { setWasOpened(true); setOpen(true); }}>
      {children}
      {wasOpened && <SecretDialog
        wide isOpen={isOpen} onOpenChange={setOpen} baseUrl={baseUrl}
        title="Create an API key" description="A program that sends it acts as you, within what you allow here." ifLost="If you lose it, revoke it and create another."
      >
        {(reveal) => (
          <CreateKeyForm choices={choices} onCreated={({ key, secret, message }) => {
            reveal({ title: `Key “${key.name}” is ready`, secret, ...(message && { message }) });
            void queries.invalidateQueries({ queryKey: ["api-keys"] });
          }} />
        )}
      </SecretDialog>}
    </Opener>
  );
}

/** Nothing for those who may not create keys. */
export function CreateKeyButton() {
  const open = useContext(Opener);
  return open && <Button onClick={open}><Plus aria-hidden />Create key</Button>;
}
