import type { IncomingMessage, ServerResponse } from "node:http";
import type { Interaction, Provider } from "oidc-provider";
import { sendJson } from "../lib/calls";
import { readForm } from "./oauth";
import { consentPage, page, registerPage, sendPage, signInPage, updatePasswordPage } from "./pages";
import { realmPath } from "./provider";
import { sidOf } from "./realm";
import type { SignOut } from "./sign-out";
import type { Realm } from "./tokens";

type Parts = { realm: Realm; provider: Provider; signOut: SignOut };

/** The pages a person meets on the way to a code: the password, a new account, a new password, and the question whether an application may. */
export async function answerInteraction(req: IncomingMessage, res: ServerResponse, parts: Parts): Promise<void> {
  let interaction: Interaction;
  try {
    interaction = await parts.provider.interactionDetails(req, res);
  } catch {
    return sendPage(res, 400, page("Page has expired", [{ text: "Go back to the application and sign in again." }]));
  }
  if (req.method !== "GET" && req.method !== "POST") return sendJson(res, 405, { error: "method_not_allowed" });
  const form = req.method === "POST" ? await readForm(req) : undefined;
  await (steps[interaction.prompt.name] ?? signIn)(req, res, parts, interaction, form);
}

type Step = (req: IncomingMessage, res: ServerResponse, parts: Parts, interaction: Interaction, form: Record<string, string> | undefined) => Promise<void>;

const actionOf = (interaction: Interaction) => `${realmPath}/login-actions/${interaction.uid}`;

const signIn: Step = async (req, res, { realm, provider }, interaction, form) => {
  const known = interaction.session?.accountId ? realm.directory.find(interaction.session.accountId) : undefined;
  const action = actionOf(interaction);
  const again = known?.username;
  if (!form) return sendPage(res, 200, signInPage(action, { again, username: interaction.params.login_hint }));

  // Whoever is signed in can only confirm that it is still them; another name in the form changes nothing.
  const person = known ?? realm.directory.findByLogin(form.username ?? "");
  const refuse = (alert: string) => sendPage(res, 200, signInPage(action, { again, username: form.username, alert }));
  if (!person || !realm.directory.isPassword(person.id, form.password ?? "")) return refuse("Invalid username or password.");
  if (!realm.directory.isEnabled(person.id)) return refuse("Account is disabled, contact your administrator.");
  await provider.interactionFinished(req, res, { login: { accountId: person.id, acr: "1" } }, { mergeWithLastSubmission: false });
};

const scopeNames: Record<string, string> = { profile: "User profile", email: "Email address", roles: "User roles", offline: "Offline Access" };

const consent: Step = async (req, res, { realm, provider }, interaction, form) => {
  const clientId = interaction.params.client_id ?? "";
  const scopes = (interaction.params.scope ?? "").split(" ").filter(Boolean);
  const names = [...new Set(["profile", "email", "roles", ...scopes])].flatMap((scope) => scopeNames[scope] ?? []);
  if (!form) return sendPage(res, 200, consentPage(actionOf(interaction), realm.clients.get(clientId)?.name ?? clientId, names, interaction.uid));

  const userId = interaction.session?.accountId;
  if (form.accept === undefined || !userId) {
    return provider.interactionFinished(req, res, { error: "access_denied", error_description: "User denied consent" }, { mergeWithLastSubmission: false });
  }
  realm.sessions.giveConsent(userId, clientId, scopes);
  await provider.interactionFinished(req, res, { consent: {} }, { mergeWithLastSubmission: true });
};

const register: Step = async (req, res, { realm, provider }, interaction, form) => {
  const { username = "", email = "", firstName = "", lastName = "", password = "" } = form ?? {};
  const values = { username: username.trim().toLowerCase(), email: email.trim().toLowerCase(), firstName: firstName.trim(), lastName: lastName.trim() };
  const show = (alert?: string) => sendPage(res, 200, registerPage(actionOf(interaction), values, alert));
  if (!form) return show();
  if (Object.values(values).some((value) => value === "") || !values.email.includes("@")) return show("Please fill in every field.");
  if (realm.directory.findByLogin(values.username)) return show("Username already exists.");
  if (realm.directory.findByLogin(values.email)) return show("Email already exists.");
  const fault = faultOf(password, form, "Password confirmation doesn't match.");
  if (fault) return show(fault);
  const accountId = realm.directory.register(values, password);
  await provider.interactionFinished(req, res, { create: {}, login: { accountId, acr: "1" } }, { mergeWithLastSubmission: false });
};

const updatePassword: Step = async (req, res, { realm, provider, signOut }, interaction, form) => {
  const show = (alert?: string) => sendPage(res, 200, updatePasswordPage(actionOf(interaction), alert));
  if (!form) return show();
  const userId = interaction.session?.accountId ?? "";
  const finish = (status: "success" | "cancelled") => provider.interactionFinished(req, res, { action: { status } }, { mergeWithLastSubmission: true });
  if (form["cancel-aia"] !== undefined) return finish("cancelled");
  const password = form["password-new"] ?? "";
  const fault = faultOf(password, form, "Passwords don't match.");
  if (fault) return show(fault);
  realm.directory.setPassword(userId, password);
  if (form["logout-sessions"] !== undefined) {
    const here = interaction.session?.uid === undefined ? null : sidOf(interaction.session.uid);
    for (const { sid } of realm.sessions.ssoSessionsOf(userId)) if (sid !== here) await signOut.browser(sid);
  }
  await finish("success");
};

function faultOf(password: string, form: Record<string, string>, unlike: string): string | null {
  if (password === "") return "Please specify password.";
  return password === form["password-confirm"] ? null : unlike;
}

const steps: Record<string, Step> = { consent, create: register, action: updatePassword };
