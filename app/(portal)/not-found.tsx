import { Compass } from "lucide-react";
import Link from "next/link";
import { Button } from "../_components/ui/button";
import { Card } from "../_components/ui/card";
import { EmptyState } from "../_components/ui/empty-state";

export default function PortalNotFound() {
  return (
    <Card>
      <EmptyState icon={Compass} title="There is nothing here" action={<Button asChild variant="secondary"><Link href="/overview">Overview</Link></Button>}>
        It was removed, never was, or is not yours.
      </EmptyState>
    </Card>
  );
}
