"use client";

import { Select } from "@/app/_components/ui/select";
import { statusChoices } from "../../../keys/_components/filter";
import { useListFilter } from "../../_components/list-filter";

export function FilterChoices({ tenants }: { tenants: { id: string; name: string }[] }) {
  const { wanted, show } = useListFilter();
  const choose = (name: "status" | "tenantId") => (value: string) => show({ [name]: value === "all" ? "" : value });
  return (
    <>
      <Select aria-label="Status" className="w-36" value={wanted.status || "all"} choices={statusChoices} onValueChange={choose("status")} />
      {tenants.length > 0 && <Select aria-label="Tenant" className="w-44" value={wanted.tenantId || "all"} choices={[{ value: "all", label: "Every tenant" }, ...tenants.map(({ id, name }) => ({ value: id, label: name }))]} onValueChange={choose("tenantId")} />}
    </>
  );
}
