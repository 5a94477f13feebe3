import { type ApiApp, newApi } from "@/lib/entry/api";
import { adminRoutes } from "./admin";
import { adminKeyRoutes } from "./admin-keys";
import { adminUserRoutes } from "./admin-users";
import { backChannelLogoutRoutes } from "./back-channel-logout";
import { chatRoutes } from "./chat";
import { chatflowRoutes } from "./chatflows";
import { documentOf } from "./document-of";
import { grantRoutes } from "./grant";
import { keyRoutes } from "./keys";
import { metricsRoutes } from "./metrics";
import { nflowRoutes } from "./nflow";
import { ownerGrantRoutes } from "./owner-grant";
import { predictionRoutes } from "./prediction";
import { serviceRoutes } from "./service";
import { tenantRoutes } from "./tenants";
import { tokenRoutes } from "./tokens";
import { usageRoutes } from "./usage";

/** The whole HTTP API: one Hono app, whichever server hands it requests. */
export function createApi(): ApiApp {
  const app = newApi();
  let document: object | undefined;
  serviceRoutes(app, () => (document ??= documentOf(app)));
  metricsRoutes(app);
  keyRoutes(app);
  grantRoutes(app);
  tokenRoutes(app);
  chatflowRoutes(app);
  chatRoutes(app);
  predictionRoutes(app);
  nflowRoutes(app);
  usageRoutes(app);
  adminRoutes(app);
  tenantRoutes(app);
  adminKeyRoutes(app);
  adminUserRoutes(app);
  backChannelLogoutRoutes(app);
  ownerGrantRoutes(app);
  return app;
}
