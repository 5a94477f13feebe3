import { clientsArea } from "./areas/clients";
import { flowiseArea } from "./areas/flowise";
import { discoveryOf, issuerArea } from "./areas/issuer";
import { nflowArea } from "./areas/nflow";
import { portalArea } from "./areas/portal";
import { postgresArea } from "./areas/postgres";
import { redisArea } from "./areas/redis";
import { settingsArea } from "./areas/settings";
import { signOutsArea } from "./areas/sign-outs";
import { syncArea } from "./areas/sync";
import { tlsArea } from "./areas/tls";
import { tokensArea } from "./areas/tokens";
import { type Area, notApplicable } from "./check";
import type { Doctor } from "./doctor";
import { byPasswordOf } from "./password";

/** All areas, in the order in which they are told: what others lean on comes first. */
export function areasFor(doctor: Doctor | null, lines: string[]): Area[] {
  if (!doctor) return [settingsArea(null, lines), { name: "everything else", checks: [{ name: "the outside", cure: "", run: async () => notApplicable("needs settings that parse, see above") }] }];
  const { env } = doctor;
  const discovery = discoveryOf(env);
  const byPassword = byPasswordOf(doctor, discovery);
  return [
    settingsArea(env, []), tlsArea(env), issuerArea(env), clientsArea(doctor, discovery), tokensArea(doctor, discovery, byPassword), syncArea(doctor, discovery),
    portalArea(env), signOutsArea(doctor, discovery, byPassword), redisArea(env), postgresArea(env), nflowArea(env), flowiseArea(env),
  ];
}
