"use client";

import { useId } from "react";
import { type Permission, permissionWords } from "@/lib/access/permissions";
import { Checkbox } from "@/app/_components/ui/checkbox";

const groups: { label: string; covers: (name: string) => boolean }[] = [
  { label: "Chatflows", covers: (name) => name.startsWith("ai:") || name.startsWith("chatflows:") },
  { label: "NFlow", covers: (name) => name.startsWith("nflow:") },
  { label: "Your account", covers: (name) => !/^(?:ai|chatflows|nflow|admin):/.test(name) },
  { label: "Administration", covers: (name) => name.startsWith("admin:") },
];

/** What a key may do, in words. Only what its owner holds is offered. */
export function PermissionPicker({ offered, value, onChange }: { offered: readonly Permission[]; value: readonly string[]; onChange: (value: string[]) => void }) {
  const id = useId();
  const toggle = (name: string, isOn: boolean) => onChange(isOn ? [...value, name] : value.filter((each) => each !== name));
  return (
    <div className="gap-6 rounded-lg border p-4 sm:columns-2">
      {groups.map((group) => {
        const names = offered.filter(group.covers);
        if (names.length === 0) return null;
        return (
          <div key={group.label} role="group" aria-labelledby={`${id}-${group.label}`} className="mb-4 break-inside-avoid space-y-2.5 last:mb-0">
            <p id={`${id}-${group.label}`} className="text-xs font-medium text-muted">{group.label}</p>
            {names.map((name) => (
              <label key={name} htmlFor={`${id}-${name}`} className="flex gap-2.5 text-sm">
                <Checkbox id={`${id}-${name}`} checked={value.includes(name)} onCheckedChange={(checked) => toggle(name, checked === true)} className="mt-px" />
                <span>{permissionWords[name]}<span className="block font-mono text-xs text-muted">{name}</span></span>
              </label>
            ))}
          </div>
        );
      })}
    </div>
  );
}
