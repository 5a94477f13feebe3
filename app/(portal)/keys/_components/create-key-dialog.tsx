"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { Permission } from "@/lib/access/permissions";
import type { CreatedKey } from "./key-form-schema";
import { Confirm } from "@/app/_components/ui/alert-dialog";
import { Button } from "@/app/_components/ui/button";
import { Dialog, DialogContent, DialogTrigger, FormLoading } from "@/app/_components/ui/dialog";
import { CreatedKeyPanel } from "./created-key-panel";

// The form brings its schema and validation along; a page of keys should not wait for them.
const CreateKeyForm = dynamic(() => import("./create-key-form").then((file) => file.CreateKeyForm), { loading: () => <FormLoading /> });

/** From the button to the secret that is shown once; closing before copying asks first. */
export function CreateKeyDialog({ offered, baseUrl, label = "Create key" }: { offered: readonly Permission[]; baseUrl: string; label?: string }) {
  const queries = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const [created, setCreated] = useState<CreatedKey | null>(null);
  const [isCopied, setCopied] = useState(false);
  const [isAsking, setAsking] = useState(false);

  function close() {
    setOpen(false);
    setCreated(null);
    setCopied(false);
  }

  return (
    <>
      <Dialog open={isOpen} onOpenChange={(next) => {
        if (next) setOpen(true);
        else if (created && !isCopied) setAsking(true);
        else close();
      }}>
        <DialogTrigger asChild><Button><Plus aria-hidden />{label}</Button></DialogTrigger>
        <DialogContent
          wide
          title={created ? `Key “${created.key.name}” is ready` : "Create an API key"}
          description={created ? undefined : "A program that sends it acts as you, within what you allow here."}
          onInteractOutside={(event) => { if (created) event.preventDefault(); }}
        >
          {created
            ? <CreatedKeyPanel created={created} baseUrl={baseUrl} onCopied={() => setCopied(true)} onClose={() => (isCopied ? close() : setAsking(true))} />
            : <CreateKeyForm offered={offered} onCreated={(key) => { setCreated(key); void queries.invalidateQueries({ queryKey: ["api-keys"] }); }} />}
        </DialogContent>
      </Dialog>
      <Confirm open={isAsking} onOpenChange={setAsking} title="Close without copying the key?" action="Close anyway" cancel="Go back" onConfirm={() => { close(); return null; }}>
        <p>The key cannot be shown again. If you lose it, revoke it and create another.</p>
      </Confirm>
    </>
  );
}
