"use client";

import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/app/_components/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/app/_components/ui/dialog";
import { FormLoading } from "@/app/_components/ui/skeleton";

const TenantForm = dynamic(() => import("./tenant-form").then((file) => file.TenantForm), { loading: () => <FormLoading /> });

export function TenantDialog({ plans }: { plans: string[] }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={setOpen}>
      <DialogTrigger asChild><Button><Plus aria-hidden />Create tenant</Button></DialogTrigger>
      <DialogContent wide title="Create a tenant" description="Before its first person signs in. People find it by the slug that Keycloak names."><TenantForm plans={plans} onDone={() => setOpen(false)} /></DialogContent>
    </Dialog>
  );
}
