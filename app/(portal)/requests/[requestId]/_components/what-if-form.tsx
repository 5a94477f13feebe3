"use client";

import { CircleCheck, CircleDashed, CircleX } from "lucide-react";
import { type FormEvent, useId, useState, useTransition } from "react";
import { type Permission, permissionNames, permissionWords } from "@/lib/access/permissions";
import type { WhatIfAnswer, WhatIfInput, WhatIfStep } from "@/lib/keys/schemas";
import { refusalText } from "@/app/_components/step-up";
import { Button } from "@/app/_components/ui/button";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { Input } from "@/app/_components/ui/input";
import { Label } from "@/app/_components/ui/label";
import { Notice } from "@/app/_components/ui/notice";
import { Select } from "@/app/_components/ui/select";
import { whatIfAction } from "../../actions";
import { wordsOf } from "./decision-words";
import { ValueList } from "./value-list";

type Method = NonNullable<WhatIfInput["method"]>;
type Outcome = { kind: "told"; answer: WhatIfAnswer } | { kind: "failed"; detail: string };

const methods = (["GET", "POST", "PUT", "PATCH", "DELETE"] as const satisfies Method[]).map((value) => ({ value, label: value }));
const stepNames: Record<string, string> = {
  revoked: "Not revoked", expired: "Not expired", disabled: "Switched on", rotated: "Present secret", owner: "Owner and tenant active", role: "Owner has a role", address: "Address allowed", permission: "Permission held", rate_limit: "Limits have room",
};

/** Runs the real check on a call that nobody makes: from an address, at a moment, for a permission or an address of the API. Nothing is taken or counted. */
export function WhatIfForm({ apiKeyId, keyName, ip, permission }: { apiKeyId: string; keyName: string; ip: string | null; permission: Permission | null }) {
  const id = useId();
  const [need, setNeed] = useState<string>(permission ?? "path");
  const [method, setMethod] = useState<Method>("GET");
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isPending, start] = useTransition();

  function ask(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const at = text("at");
    const wanted = need === "path" ? text("path") && { method, path: text("path") } : need === "none" ? null : { permission: need as Permission };
    start(async () => {
      const result = await whatIfAction({ apiKeyId, ...(text("ip") && { ip: text("ip") }), ...(at && { at: new Date(at).toISOString() }), ...wanted }).catch(() => null);
      setOutcome(result?.ok ? { kind: "told", answer: result.data } : { kind: "failed", detail: result ? refusalText(result.problem) : "The portal did not answer. Check your connection and try again." });
    });
  }

  return (
    <Card>
      <CardHeader title="What if?" hint={`Asks the real check about a call with ${keyName}, as it is now. Nothing is taken from its limits.`} />
      <CardBody>
        <form onSubmit={ask} className="grid gap-4 sm:grid-cols-2">
          <div>
            <Label htmlFor={`${id}-ip`}>From address</Label>
            <Input id={`${id}-ip`} name="ip" className="mt-1.5" defaultValue={ip ?? ""} placeholder="any" maxLength={64} autoComplete="off" spellCheck={false} />
          </div>
          <div>
            <Label htmlFor={`${id}-at`}>At</Label>
            <Input id={`${id}-at`} name="at" type="datetime-local" className="mt-1.5" />
          </div>
          <div>
            <Label htmlFor={`${id}-need`}>Needing</Label>
            <Select id={`${id}-need`} className="mt-1.5 w-full" value={need} onValueChange={setNeed} choices={[{ value: "path", label: "what an address of the API needs" }, { value: "none", label: "nothing in particular" }, ...permissionNames.map((value) => ({ value, label: `${permissionWords[value]} (${value})` }))]} />
          </div>
          {need === "path" && (
            <div>
              <Label htmlFor={`${id}-path`}>Address of the API</Label>
              <div className="mt-1.5 flex gap-2">
                <Select aria-label="Method" className="w-28 shrink-0" value={method} choices={methods} onValueChange={setMethod} />
                <Input id={`${id}-path`} name="path" placeholder="/api/v1/chatflows" maxLength={500} autoComplete="off" spellCheck={false} />
              </div>
            </div>
          )}
          <div className="sm:col-span-2"><Button type="submit" busy={isPending}>Ask</Button></div>
        </form>
        <div aria-live="polite">{outcome && <Told outcome={outcome} />}</div>
      </CardBody>
    </Card>
  );
}

function Told({ outcome }: { outcome: Outcome }) {
  if (outcome.kind === "failed") return <Notice tone="bad" title="That could not be asked" className="mt-5">{outcome.detail}</Notice>;
  const { answer } = outcome;
  return (
    <div className="mt-5">
      <Notice tone={answer.admitted ? "good" : "warn"} title={answer.admitted ? "The call would be admitted" : "The call would be refused"}>{answer.detail}</Notice>
      <ol className="mt-4 space-y-2 text-sm">{answer.steps.map((step) => <Step key={step.check} step={step} />)}</ol>
    </div>
  );
}

function Step({ step: { check, passed, seen, limit } }: { step: WhatIfStep }) {
  const name = stepNames[check] ?? check.replaceAll("_", " ");
  if (passed === true) return <li className="flex items-center gap-2"><CircleCheck aria-hidden className="size-4 shrink-0 text-success" />{name}<span className="sr-only">: yes</span></li>;
  if (passed === null) return <li className="flex items-center gap-2 text-muted"><CircleDashed aria-hidden className="size-4 shrink-0" />{name}: not asked</li>;
  return (
    <li>
      <p className="flex items-center gap-2 font-medium"><CircleX aria-hidden className="size-4 shrink-0 text-danger" />{wordsOf({ check, code: check }).title}</p>
      <dl className="mt-1 ml-6 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-1 text-muted"><dt>Seen</dt><dd><ValueList value={seen} /></dd><dt>Accepted</dt><dd><ValueList value={limit} /></dd></dl>
    </li>
  );
}
