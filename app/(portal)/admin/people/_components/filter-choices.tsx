"use client";

import { Select } from "@/app/_components/ui/select";
import { useListFilter } from "../../_components/list-filter";
import { roleChoices, stateChoices } from "./filter";

export function FilterChoices({ tenants }: { tenants: { slug: string; name: string }[] }) {
  const { wanted, show } = useListFilter();
  const choose = (name: "role" | "is_active" | "tenant") => (value: string) => show({ [name]: value === "all" ? "" : value });
  return (
    <>
      <Select aria-label="Role" className="w-36" value={wanted.role || "all"} choices={roleChoices} onValueChange={choose("role")} />
      <Select aria-label="State" className="w-36" value={wanted.is_active || "all"} choices={stateChoices} onValueChange={choose("is_active")} />
      {tenants.length > 0 && <Select aria-label="Tenant" className="w-44" value={wanted.tenant || "all"} choices={[{ value: "all", label: "Every tenant" }, ...tenants.map(({ slug, name }) => ({ value: slug, label: name }))]} onValueChange={choose("tenant")} />}
    </>
  );
}
