import { TokenEndpointError } from "./keycloak";
import { answersAtAll } from "./keycloak-discovery";

/** Both together stay below the 3 s that a caller waits for a Keycloak that is away. */
const [lookAfterMs, answerWithinMs] = [1500, 1200];

/**
 * Waits for work that asks Keycloak, as long as Keycloak is merely slow. A Keycloak that answers nothing else either is frozen: the caller is let go,
 * and the work goes on, since it may hold a refresh token that must be stored when the answer comes.
 * @throws TokenEndpointError `unavailable`; what the work throws.
 */
export async function unlessFrozen<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const frozen = new Promise<never>((_, reject) => {
    const look = async () => {
      if (await answersAtAll(answerWithinMs)) {
        if (!isOver) timer = setTimeout(() => void look(), lookAfterMs);
      } else reject(new TokenEndpointError("unavailable", { description: "Keycloak answers nothing" }));
    };
    timer = setTimeout(() => void look(), lookAfterMs);
  });
  // Whichever loses is not waited for.
  frozen.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, frozen]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
