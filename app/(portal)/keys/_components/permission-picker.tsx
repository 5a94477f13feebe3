"use client";

import { useId } from "react";
import { type Permission, permissionNames, permissionWords } from "@/lib/access/permissions";
import { Checkbox } from "@/app/_components/ui/checkbox";
import { templateOf, templatesFor } from "./permission-templates";

const groups: { label: string; covers: (name: string) => boolean }[] = [
  { label: "Chatflows", covers: (name) => name.startsWith("ai:") || name.startsWith("chatflows:") },
  { label: "NFlow", covers: (name) => name.startsWith("nflow:") },
  { label: "Your account", covers: (name) => !/^(?:ai|chatflows|nflow|admin):/.test(name) },
  { label: "Administration", covers: (name) => name.startsWith("admin:") },
];

/**
 * What a key may do, in words, by template or one by one. Only what its owner holds is offered; what a key was once given and its owner
 * has lost is shown too, to be taken away.
 */
export function PermissionPicker({ offered, value, onChange }: { offered: readonly Permission[]; value: readonly string[]; onChange: (value: string[]) => void }) {
  const id = useId();
  const toggle = (name: string, isOn: boolean) => onChange(isOn ? [...value, name] : value.filter((each) => each !== name));
  const chosen = templateOf(value, offered);
  const shown = permissionNames.filter((name) => offered.includes(name) || value.includes(name));
  return (
    <div className="rounded-lg border">
      <div role="group" aria-label="Templates" className="flex flex-wrap gap-1.5 border-b bg-sunken/60 px-4 py-3">
        {templatesFor(offered).map((template) => (
          <button key={template.label} type="button" aria-pressed={chosen === template.label} onClick={() => onChange([...template.permissions])} className="rounded-full border border-line-strong/60 bg-surface px-3 py-1 text-[0.8125rem] transition-colors hover:bg-sunken aria-pressed:border-primary aria-pressed:bg-primary-soft aria-pressed:font-medium aria-pressed:text-primary-ink">
            {template.label}
          </button>
        ))}
      </div>
      <div className="gap-6 p-4 sm:columns-2">
        {groups.map((group) => {
          const names = shown.filter(group.covers);
          if (names.length === 0) return null;
          return (
            <div key={group.label} role="group" aria-labelledby={`${id}-${group.label}`} className="mb-4 break-inside-avoid space-y-2.5 last:mb-0">
              <p id={`${id}-${group.label}`} className="text-xs font-medium text-muted">{group.label}</p>
              {names.map((name) => (
                <label key={name} htmlFor={`${id}-${name}`} className="flex gap-2.5 text-sm">
                  <Checkbox id={`${id}-${name}`} checked={value.includes(name)} onCheckedChange={(checked) => toggle(name, checked === true)} className="mt-px" />
                  <span>{permissionWords[name]}<span className="block font-mono text-xs text-muted">{name}{!offered.includes(name) && " (not in force: your role does not hold it)"}</span></span>
                </label>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
