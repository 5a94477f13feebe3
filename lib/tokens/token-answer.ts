import { type Person, permissionsOf } from "@/lib/access";
import { hasLiveGrant } from "@/lib/grants";
import { env } from "@/lib/platform/env";
import { newAccessToken } from "./access-token";
import type { TokenAnswer } from "./schemas";

type Issued = { person: Person; permissions: number; family: { id: string; apiKeyId: string | null }; refreshToken: string; message: string };

/** What a program gets for signing in or refreshing: a fresh access token beside the refresh token, and whose they are. */
export async function tokenAnswer({ person, permissions, family, refreshToken, message }: Issued): Promise<TokenAnswer> {
  return {
    access_token: await newAccessToken({ person, permissions, familyId: family.id, apiKeyId: family.apiKeyId }),
    refresh_token: refreshToken,
    token_type: "bearer",
    expires_in: env().TOKEN_ACCESS_TTL_SECONDS,
    user: { id: person.userId, username: person.username, email: person.email, isVerified: person.emailVerified, role: person.role, permissions: permissionsOf(permissions) },
    role: person.role,
    message,
    owner_grant: await hasLiveGrant(person.userId),
  };
}
