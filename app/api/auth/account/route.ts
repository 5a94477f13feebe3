export { accountDoor as GET } from "@/lib/sessions/auth-doors";
export const dynamic = "force-dynamic";
