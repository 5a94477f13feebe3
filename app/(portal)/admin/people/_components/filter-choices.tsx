"use client";

import { useRouter } from "next/navigation";
import { Select } from "@/app/_components/ui/select";
import { pathOf } from "../../_components/search-query";
import { paramsOf, path, type PeopleFilter, roleChoices, stateChoices } from "./filter";

export function FilterChoices({ filter, tenants }: { filter: PeopleFilter; tenants: { slug: string; name: string }[] }) {
  const router = useRouter();
  const show = (name: "role" | "is_active" | "tenant") => (value: string) => router.replace(pathOf(path, paramsOf({ ...filter, [name]: value === "all" ? "" : value })), { scroll: false });
  return (
    <>
      <Select aria-label="Role" className="w-36" value={filter.role || "all"} choices={roleChoices} onValueChange={show("role")} />
      <Select aria-label="State" className="w-36" value={filter.is_active || "all"} choices={stateChoices} onValueChange={show("is_active")} />
      {tenants.length > 0 && <Select aria-label="Tenant" className="w-44" value={filter.tenant || "all"} choices={[{ value: "all", label: "Every tenant" }, ...tenants.map(({ slug, name }) => ({ value: slug, label: name }))]} onValueChange={show("tenant")} />}
    </>
  );
}
