import { areasFor } from "./areas";
import { type Finding, runArea } from "./check";
import { examine, secretsOf } from "./doctor";
import { cleaned } from "./report";

/** Looks at everything that these settings name. All areas run at once; the findings of each come as soon as those before it have, without secrets. */
export async function* look(source: Record<string, string | undefined>): AsyncGenerator<Finding[]> {
  const secrets = secretsOf(source);
  const { doctor, lines } = examine(source);
  for (const running of areasFor(doctor, lines).map((area) => runArea(area))) {
    yield (await running).map((finding) => JSON.parse(cleaned(JSON.stringify(finding), secrets.map(inJson))) as Finding);
  }
}

/** A secret as it would stand within a JSON text. */
const inJson = (secret: string) => JSON.stringify(secret).slice(1, -1);
