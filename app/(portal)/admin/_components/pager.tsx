import Link from "next/link";
import { Button } from "@/app/_components/ui/button";

/** Lists are read by cursor, so one goes on, or back to the start. */
export function Pager({ first, next }: { first: string | null; next: string | null }) {
  if (!first && !next) return null;
  return (
    <nav aria-label="Pages" className="flex justify-end gap-2 border-t px-4 py-3">
      {first && <Button asChild variant="secondary" size="sm"><Link href={first}>First page</Link></Button>}
      {next && <Button asChild variant="secondary" size="sm"><Link href={next}>Next page</Link></Button>}
    </nav>
  );
}
