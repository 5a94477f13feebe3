import { permissionsOf } from "@/lib/access";
import { hasLiveGrant } from "@/lib/grants";
import { env } from "@/lib/platform/env";
import { type NewAccessToken, newAccessToken } from "./access-token";
import type { NewRefreshToken } from "./family";
import type { TokenAnswer, TokenPair } from "./schemas";

/** What a sign-in or a refresh gave, before it is put into a client's words. */
export type Issued = NewAccessToken & { refreshToken: NewRefreshToken };

/** The pair that a program gets: a fresh access token beside the refresh token, and whose they are. */
export async function pairOf({ person, permissions, family, refreshToken }: Issued): Promise<TokenPair> {
  return {
    access_token: await newAccessToken({ person, permissions, family }),
    refresh_token: refreshToken.value,
    token_type: "bearer",
    expires_in: env().TOKEN_ACCESS_TTL_SECONDS,
    refresh_expires_in: refreshToken.lastsSeconds,
    user: { id: person.userId, username: person.username, email: person.email, isVerified: person.emailVerified, role: person.role, permissions: permissionsOf(permissions) },
  };
}

/** The same in the words of the older chat client. */
export async function chatAnswerOf(issued: Issued, message: string): Promise<TokenAnswer> {
  const { refresh_expires_in: _, ...pair } = await pairOf(issued);
  return { ...pair, role: issued.person.role, message, owner_grant: await hasLiveGrant(issued.person.userId) };
}
