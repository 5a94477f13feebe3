"use client";

import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { createContext, type ReactNode, useContext, useState } from "react";
import type { Permission } from "@/lib/access/permissions";
import { Button } from "@/app/_components/ui/button";
import { FormLoading } from "@/app/_components/ui/skeleton";
import { SecretDialog } from "../../../keys/_components/secret-dialog";

const CreateAnyKeyForm = dynamic(() => import("./create-any-key-form").then((file) => file.CreateAnyKeyForm), { loading: () => <FormLoading /> });

const Opener = createContext<() => void>(() => undefined);

/** Holds the one dialog for both buttons, as `CreateKey` does: the one in the empty list goes with the first key, and must not take the secret along. */
export function CreateAnyKey({ permissions, tenants, baseUrl, children }: { permissions: readonly Permission[]; tenants: string[]; baseUrl: string; children: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Opener value={() => setOpen(true)}>
      {children}
      <SecretDialog
        wide isOpen={isOpen} onOpenChange={setOpen} baseUrl={baseUrl}
        title="Create a key for somebody" description="A program that sends it acts as that person, within their role and what you allow here." ifLost="If it is lost, revoke it and create another."
      >
        {(reveal) => (
          <CreateAnyKeyForm permissions={permissions} tenants={tenants} onCreated={({ key, secret, grant, message }) => {
            const waiting = grant === "missing" ? "Calls to the engines wait until its owner has given machine access in the portal." : "";
            reveal({ title: `Key “${key.name}” is ready`, secret, message: [waiting, message].filter(Boolean).join(" ") });
          }} />
        )}
      </SecretDialog>
    </Opener>
  );
}

export function CreateAnyKeyButton() {
  return <Button onClick={useContext(Opener)}><Plus aria-hidden />Create key for somebody</Button>;
}
