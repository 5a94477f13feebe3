import type { ServerResponse } from "node:http";

/** Escapes text for element content and quoted attributes. */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Markup that was put together here, as opposed to text, which is always escaped. */
class Markup {
  constructor(readonly html: string) {}
}

/** Part of a page: a notice, text, or markup made by one of the functions below. */
type Part = { alert: string } | { text: string } | Markup;

type Button = { id: string; label: string; name?: string; value?: string; plain?: boolean };

const style = `
:root{color-scheme:light dark;--paper:#fff;--ink:#151515;--soft:#57606a;--line:#c7cbd1;--ground:#f2f3f5;--accent:#0b5cad;--on-accent:#fff;--warn:#a1130a;--warn-ground:#fdeceb}
@media (prefers-color-scheme:dark){:root{--paper:#1c1f24;--ink:#eceff3;--soft:#a9b1bb;--line:#464d57;--ground:#101215;--accent:#6ab0f5;--on-accent:#0b1520;--warn:#ffb4ab;--warn-ground:#3a1614}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;padding:8vh 1rem 2rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
.realm{margin:0 0 1rem;font-weight:600;letter-spacing:.02em;color:var(--soft)}main{width:100%;max-width:27rem;background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:1.75rem}
h1{margin:0 0 1.25rem;font-size:1.35rem;line-height:1.3}label{display:block;margin:0 0 .3rem;font-weight:500}p{margin:0 0 1rem}
input[type=text],input[type=password]{width:100%;margin:0 0 1rem;padding:.6rem .7rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);border-radius:.35rem}
.buttons{display:flex;gap:.6rem}button{flex:1;padding:.65rem 1rem;font:inherit;font-weight:600;border-radius:.35rem;border:1px solid var(--accent);background:var(--accent);color:var(--on-accent);cursor:pointer}
button.plain{background:transparent;color:var(--accent)}:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.alert{padding:.6rem .75rem;border-radius:.35rem;background:var(--warn-ground);color:var(--warn)}ul{margin:0 0 1.25rem;padding-left:1.2rem}
.app{border-top:1px solid var(--line);padding:1rem 0}.app h2{margin:0;font-size:1.05rem}.app p{color:var(--soft);margin:.2rem 0 .7rem}a{color:var(--accent)}`;

/** A whole page: heading, then its parts. */
export function page(heading: string, parts: readonly Part[]): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(heading)}</title><style>${style}</style></head>
<body><p class="realm">Sluice</p><main><h1 id="kc-page-title">${escape(heading)}</h1>${parts.map(render).join("")}</main></body></html>`;
}

export function sendPage(res: ServerResponse, status: number, html: string): void {
  res.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
  });
  res.end(html);
}

function render(part: Part): string {
  if (part instanceof Markup) return part.html;
  return "alert" in part ? `<p class="alert" role="alert">${escape(part.alert)}</p>` : `<p>${escape(part.text)}</p>`;
}

function form(action: string, fields: string, buttons: readonly Button[]): Markup {
  const drawn = buttons.map(
    ({ id, label, name, value, plain }) =>
      `<button type="submit" id="${escape(id)}"${name ? ` name="${escape(name)}" value="${escape(value ?? label)}"` : ""}${plain ? ' class="plain"' : ""}>${escape(label)}</button>`,
  );
  return new Markup(`<form method="post" action="${escape(action)}">${fields}<div class="buttons">${drawn.join("")}</div></form>`);
}

function hidden(fields: Record<string, string>): string {
  return Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`).join("");
}

const passwordField = (focus: boolean) =>
  `<label for="password">Password</label><input type="password" id="password" name="password" autocomplete="current-password"${focus ? " autofocus" : ""}>`;

/** @param again the username of somebody who is signed in and has to show the password once more. */
export function signInPage(action: string, options: { again?: string; username?: string; alert?: string }): string {
  const { again, username = "", alert } = options;
  const name =
    again === undefined
      ? `<label for="username">Username or email</label><input type="text" id="username" name="username" value="${escape(username)}" autocomplete="username" autocapitalize="none" spellcheck="false"${username === "" ? " autofocus" : ""}>`
      : "";
  return page("Sign in to your account", [
    ...(alert ? [{ alert }] : []),
    ...(again === undefined ? [] : [{ text: `Signed in as ${again}` }, { text: "Please re-authenticate to continue" }]),
    form(action, name + passwordField(again !== undefined || username !== ""), [{ id: "kc-login", label: "Sign In" }]),
  ]);
}

const field = (id: string, label: string, value: string, autocomplete: string) =>
  `<label for="${id}">${escape(label)}</label><input type="text" id="${id}" name="${id}" value="${escape(value)}" autocomplete="${autocomplete}" autocapitalize="none" spellcheck="false">`;

const newPasswordField = (id: string, label: string) => `<label for="${id}">${escape(label)}</label><input type="password" id="${id}" name="${id}" autocomplete="new-password">`;

export type NewAccount = { username: string; email: string; firstName: string; lastName: string };

export function registerPage(action: string, values: NewAccount, alert?: string): string {
  const fields = [
    field("username", "Username", values.username, "username"), newPasswordField("password", "Password"), newPasswordField("password-confirm", "Confirm password"),
    field("email", "Email", values.email, "email"), field("firstName", "First name", values.firstName, "given-name"), field("lastName", "Last name", values.lastName, "family-name"),
  ];
  return page("Register", [...(alert ? [{ alert }] : []), form(action, fields.join(""), [{ id: "kc-register", label: "Register" }])]);
}

export function updatePasswordPage(action: string, alert?: string): string {
  const others = '<p><label><input type="checkbox" id="logout-sessions" name="logout-sessions" value="on"> Sign out from other devices</label></p>';
  return page("Update password", [
    ...(alert ? [{ alert }] : []),
    form(action, newPasswordField("password-new", "New Password") + newPasswordField("password-confirm", "Confirm password") + others, [
      { id: "kc-submit", label: "Submit" },
      { id: "kc-cancel", label: "Cancel", name: "cancel-aia", value: "true", plain: true },
    ]),
  ]);
}

export function consentPage(action: string, clientName: string, scopes: readonly string[], code: string): string {
  return page(`Grant Access to ${clientName}`, [
    { text: "Do you grant these access privileges?" },
    new Markup(`<ul>${scopes.map((scope) => `<li>${escape(scope)}</li>`).join("")}</ul>`),
    form(action, hidden({ code }), [
      { id: "kc-login", label: "Yes", name: "accept", value: "Yes" },
      { id: "kc-cancel", label: "No", name: "cancel", value: "No", plain: true },
    ]),
  ]);
}

export function logoutPage(action: string, fields: Record<string, string>): string {
  return page("Logging out", [{ text: "Do you want to log out?" }, form(action, hidden(fields), [{ id: "kc-logout", label: "Logout", name: "confirmLogout", value: "Logout" }])]);
}

export type Application = { clientId: string; name: string; scopes: readonly string[]; since: Date };

export function accountPage(action: string, token: string, username: string, applications: readonly Application[]): string {
  const list = applications.map(
    ({ clientId, name, scopes, since }) =>
      `<section class="app" aria-label="${escape(name)}"><h2>${escape(name)}</h2><p>${escape(scopes.join(", "))} · since ${escape(since.toISOString().slice(0, 10))}</p>${
        form(action, hidden({ client_id: clientId, token }), [{ id: `remove-${clientId}`, label: "Remove access", plain: true }]).html
      }</section>`,
  );
  return page("Applications", [
    { text: `Signed in as ${username}. These applications may act for you while you are away.` },
    ...(list.length > 0 ? [new Markup(list.join(""))] : [{ text: "No application has offline access." }]),
  ]);
}
