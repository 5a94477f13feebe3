import "server-only";

export { receiveLogout } from "./back-channel-logout";
