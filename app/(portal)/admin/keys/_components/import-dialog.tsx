"use client";

import { Upload } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/_components/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/app/_components/ui/dialog";
import { ImportPanel } from "./import-panel";

export function ImportDialog({ tenants }: { tenants: string[] }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={setOpen}>
      <DialogTrigger asChild><Button variant="secondary"><Upload aria-hidden />Import keys</Button></DialogTrigger>
      <DialogContent wide title="Import keys by their SHA-256" description="Keys of an earlier system go on working unchanged. Calls to the engines wait until each owner has given machine access.">
        <ImportPanel tenants={tenants} onDone={() => setOpen(false)} />
      </DialogContent>
    </Dialog>
  );
}
