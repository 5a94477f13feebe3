"use client";

import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/app/_components/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/app/_components/ui/dialog";
import { FormLoading } from "@/app/_components/ui/skeleton";

const CreateAppForm = dynamic(() => import("./create-app-form").then((file) => file.CreateAppForm), { loading: () => <FormLoading /> });

export function CreateAppDialog() {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={setOpen}>
      <DialogTrigger asChild><Button><Plus aria-hidden />Create application</Button></DialogTrigger>
      <DialogContent title="Create an application" description="It is made in NFlow in your name."><CreateAppForm onCreated={() => setOpen(false)} /></DialogContent>
    </Dialog>
  );
}
