"use client";

import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/app/_components/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/app/_components/ui/dialog";
import { FormLoading } from "@/app/_components/ui/skeleton";

const PlanForm = dynamic(() => import("./plan-form").then((file) => file.PlanForm), { loading: () => <FormLoading /> });

export function PlanDialog() {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={setOpen}>
      <DialogTrigger asChild><Button><Plus aria-hidden />Create plan</Button></DialogTrigger>
      <DialogContent wide title="Create a plan"><PlanForm onDone={() => setOpen(false)} /></DialogContent>
    </Dialog>
  );
}
