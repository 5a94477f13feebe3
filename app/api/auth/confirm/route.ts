export { confirmDoor as GET } from "@/lib/sessions/auth-doors";
export const dynamic = "force-dynamic";
