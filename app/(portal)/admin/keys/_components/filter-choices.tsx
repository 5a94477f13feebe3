"use client";

import { useRouter } from "next/navigation";
import { Select } from "@/app/_components/ui/select";
import { statusChoices } from "../../../keys/_components/filter";
import { pathOf } from "../../_components/search-query";
import { path } from "./filter";

type Filter = { q: string; status: string; tenantId: string };

export function FilterChoices({ filter, tenants }: { filter: Filter; tenants: { id: string; name: string }[] }) {
  const router = useRouter();
  const show = (next: Partial<Filter>) => router.replace(pathOf(path, { ...filter, ...next }), { scroll: false });
  return (
    <>
      <Select aria-label="Status" className="w-36" value={filter.status || "all"} choices={statusChoices} onValueChange={(status) => show({ status: status === "all" ? "" : status })} />
      {tenants.length > 0 && <Select aria-label="Tenant" className="w-44" value={filter.tenantId || "all"} choices={[{ value: "all", label: "Every tenant" }, ...tenants.map(({ id, name }) => ({ value: id, label: name }))]} onValueChange={(id) => show({ tenantId: id === "all" ? "" : id })} />}
    </>
  );
}
