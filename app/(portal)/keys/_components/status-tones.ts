import type { Tone } from "@/app/_components/ui/badge";
import type { KeyStatus } from "@/lib/keys/schemas";

export const statusTones: Record<KeyStatus, Tone> = { active: "good", disabled: "warn", expired: "neutral", revoked: "bad" };
