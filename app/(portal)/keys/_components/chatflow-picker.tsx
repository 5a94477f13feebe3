"use client";

import { Search } from "lucide-react";
import { useId, useState } from "react";
import { Checkbox } from "@/app/_components/ui/checkbox";
import { Input } from "@/app/_components/ui/input";
import { Radio } from "@/app/_components/ui/radio";
import type { KeyChoices } from "./key-form-schema";

const searchFrom = 8;

type ChatflowPickerProps = { offered: KeyChoices["chatflows"]; value: readonly string[] | null; onChange: (value: string[] | null) => void };

/** Any chatflow that is assigned, now or later, or only some. One that was chosen and is not assigned any more stays in sight. */
export function ChatflowPicker({ offered, value, onChange }: ChatflowPickerProps) {
  const id = useId();
  const [q, setQ] = useState("");
  const [kept, setKept] = useState<string[]>([...(value ?? [])]);
  const lost = (value ?? []).filter((each) => !offered?.some((flow) => flow.id === each)).map((each) => ({ id: each, name: offered ? "Not assigned to you any more" : "Chatflow" }));
  const all = [...(offered ?? []), ...lost];
  const matching = all.filter((flow) => flow.name.toLowerCase().includes(q.trim().toLowerCase()));
  const toggle = (flowId: string, isOn: boolean) => {
    const next = isOn ? [...(value ?? []), flowId] : (value ?? []).filter((each) => each !== flowId);
    setKept(next);
    onChange(next);
  };
  return (
    <div className="space-y-2.5 rounded-lg border p-4">
      <Radio name={id} checked={value === null} onChange={() => onChange(null)} hint="Also those that are assigned to you later.">Any that is assigned to you</Radio>
      <Radio name={id} checked={value !== null} onChange={() => onChange(kept)}>Only these</Radio>
      {value !== null && (
        <div className="ml-6.5 space-y-2.5">
          {offered === null && <p className="text-sm text-muted">Your chatflows cannot be read right now.</p>}
          {all.length === 0 && offered !== null && <p className="text-sm text-muted">No chatflow is assigned to you.</p>}
          {all.length > searchFrom && (
            <div className="relative">
              <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
              <Input type="search" aria-label="Search chatflows" placeholder="Search chatflows" className="pl-9" maxLength={100} value={q} onChange={(event) => setQ(event.target.value)} />
            </div>
          )}
          <div className="max-h-52 space-y-2 overflow-y-auto py-0.5">
            {matching.map((flow) => (
              <label key={flow.id} htmlFor={`${id}-${flow.id}`} className="flex gap-2.5 text-sm">
                <Checkbox id={`${id}-${flow.id}`} checked={value.includes(flow.id)} onCheckedChange={(checked) => toggle(flow.id, checked === true)} className="mt-px" />
                <span className="min-w-0 wrap-anywhere">{flow.name}{lost.includes(flow) && <span className="block font-mono text-xs break-all text-muted">{flow.id}</span>}</span>
              </label>
            ))}
            {matching.length === 0 && all.length > 0 && <p className="text-sm text-muted">No chatflow matches.</p>}
          </div>
        </div>
      )}
    </div>
  );
}
