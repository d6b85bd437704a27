// What the flows need: authd with its providers in an empty folder, browsers, and hands that press what a person would.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  PASSWORD,
  accessible,
  authd,
  demand,
  environment,
  fits,
  freePort,
  heading,
  same,
  shoot,
  startBrowser,
  startDaemon,
} from "../browser/harness.mjs";
import { startProvider } from "./provider.mjs";

const SIZES = [
  { name: "1280", width: 1280, height: 800 },
  { name: "360", width: 360, height: 740 },
  { name: "320", width: 320, height: 640 },
];
const CANAILLE = { login: "cara", password: "a password at Canaille", email: "cara@example.org" };

const home = mkdtempSync(join(tmpdir(), "authd-oidc-"));
const port = await freePort();
export const origin = `http://127.0.0.1:${port}`;
const callback = (name) => `${origin}/api/auth/oauth/${name}/callback`;

const provider = async (name, title, host, more) =>
  startProvider({ name: title, host, port: await freePort(), client: "authd", secret: `${name}-secret`, callback: callback(name), ...more });
export const acme = await provider("acme", "Acme", "127.0.0.2");
export const bolt = await provider("bolt", "Bolt", "127.0.0.3", { slim: true });

// The front end of somebody's own: a page on another port that begins, and exchanges the code by fetch.
export const frontEnd = createServer((_, res) => {
  res.setHeader("content-type", "text/html");
  res.end(`<!doctype html><title>Shop</title><h1>Shop</h1><button>Sign in</button><script type="module">
    const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const api = ${JSON.stringify(`${origin}/api/auth`)};
    const here = location.origin + "/";
    document.querySelector("button").onclick = async () => {
      const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
      sessionStorage.verifier = verifier;
      const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
      location.href = api + "/oauth/acme/start?" + new URLSearchParams({ redirect_to: here, code_challenge: challenge });
    };
    const back = new URLSearchParams(location.search);
    const show = (text) => (document.querySelector("h1").innerText = text);
    if (back.has("error")) show(back.get("error"));
    if (back.has("code")) {
      const body = JSON.stringify({ code: back.get("code"), code_verifier: sessionStorage.verifier });
      const send = () => fetch(api + "/oauth/exchange", { method: "POST", headers: { "content-type": "application/json" }, body });
      const got = await (await send()).json();
      const me = await fetch(api + "/me", { headers: { authorization: "Bearer " + got.access_token } });
      show("Hello " + (await me.json()).email + ", a second time: " + (await send()).status);
    }
  </script>`);
});
await new Promise((done) => frontEnd.listen(0, "127.0.0.1", done));
export const shop = `http://127.0.0.1:${frontEnd.address().port}/`;

const canaillePort = await freePort();
const gonePort = await freePort();
writeFileSync(join(home, "canaille.secret"), "canaille-secret\n");
writeFileSync(join(home, "acme.secret"), "acme-secret\n");
writeFileSync(join(home, "bolt.secret"), "bolt-secret\n");
const table = (name, title, issuer, more = "") => `[oauth.${name}]
kind = "oidc"
client_id = "authd"
client_secret_file = "${join(home, `${name}.secret`)}"
issuer = "${issuer}"
display_name = "${title}"
allow_private = true
${more}
`;
writeFileSync(
  join(home, "authd.toml"),
  `public_url = "${origin}"
redirects.allowed = ["${shop}"]
cors.origins = ["${new URL(shop).origin}"]
` +
    table("acme", "Acme", acme.issuer, `scopes = ["groups"]\nrole_claim = "groups"\nroles = { staff = "reader" }`) +
    table("bolt", "Bolt", bolt.issuer) +
    table("canaille", "Canaille", `http://localhost:${canaillePort}`) +
    table("gone", "Gone", `http://127.0.0.4:${gonePort}`).replace(/client_secret_file.*\n/, ""),
);
const env = environment(home, port, { AUTHD_TOTP__ISSUER: "Example", AUTHD_MAIL__MAX_PER_ADDRESS_PER_HOUR: "20" });
export const authctl = (...args) => execFileSync(authd, args, { env, cwd: home, encoding: "utf8" });
// Anything else that works on the database: time that passes, above all.
const sql = (text) =>
  execFileSync("python3", ["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1],10); c.execute(sys.argv[2]); c.commit()", join(home, "authd.db"), text]);
// Logins of before now are not fresh any more.
export const timePasses = () => sql("UPDATE sessions SET auth_time = auth_time - 600000, created_at = created_at - 600000");

const daemon = await startDaemon(env, home);
export const browser = await startBrowser();
let canaille;

// The second provider; gives its person. `null`: it isn't installed.
export async function startCanaille() {
  if (!process.env.OIDC_PYTHON) return null;
  const said = { stdio: ["ignore", "pipe", "inherit"] };
  const args = [canaillePort, callback("canaille"), "authd", "canaille-secret", CANAILLE.login, CANAILLE.password, CANAILLE.email];
  canaille = spawn(process.env.OIDC_PYTHON, ["-B", new URL("second_provider.py", import.meta.url).pathname, ...args.map(String)], said);
  await new Promise((done, fail) => {
    canaille.stdout.on("data", done);
    canaille.on("exit", (code) => fail(new Error(`Canaille ended with ${code}`)));
  });
  return CANAILLE;
}

export async function end() {
  await browser.close();
  const ended = [daemon, canaille].filter(Boolean).map((child) => new Promise((done) => child.on("exit", done).kill("SIGTERM")));
  await Promise.all([...ended, acme.stop(), bolt.stop(), new Promise((done) => frontEnd.close(done))]);
  rmSync(home, { recursive: true });
}

let count = 0;
export const newPerson = (claims = {}) => {
  const name = `person${(count += 1)}`;
  const email = `${name}@example.com`;
  const all = { name: `Person ${count}`, email, email_verified: true, ...claims };
  for (const at of [acme, bolt]) at.accounts.set(name, { ...all });
  return { name, email };
};

export function addUser(email, name = "") {
  const args = ["user", "add", email, "--name", name, "--verified", "--password-stdin"];
  execFileSync(authd, args, { env, cwd: home, input: PASSWORD, stdio: ["pipe", "ignore", "ignore"] });
}

// The link in the newest mail to an address, which is another than `before`.
export async function verificationLink(email, before) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    const mails = JSON.parse(authctl("mail", "list", "-o", "json"));
    const mail = (mails.items ?? mails).find((mail) => mail.to === email && mail.kind === "verify_email");
    const link = mail && authctl("mail", "show", mail.id).match(/http:\/\/127\.0\.0\.1:\d+\/auth\/[\w-]+\?token=[\w-]+/);
    if (link && link[0] !== before) return link[0];
  }
  throw new Error(`no mail came to ${email}`);
}

// A browser of its own, with what a person does in it.
export async function open(context) {
  const own = await browser.newContext(context);
  const page = await own.newPage();
  const issuers = [acme, bolt].map((at) => at.issuer);
  const hands = {
    page,
    close: () => own.close(),
    main: () => page.locator("main").innerText(),
    alert: () => page.getByRole("alert").innerText(),
    status: () => page.getByRole("status").innerText(),
    press: (name) => page.getByRole("button", { name, exact: true }).click(),
    follow: (name) => page.getByRole("link", { name, exact: true }).click(),
    fill: (label, text) => page.getByLabel(label, { exact: true }).fill(text),
    goTo: (path) => page.goto(origin + path),
    // The page at every size, light and dark.
    async look(name) {
      const { width, height } = page.viewportSize();
      for (const size of SIZES) {
        for (const colorScheme of ["light", "dark"]) {
          await page.setViewportSize(size);
          await page.emulateMedia({ colorScheme });
          await shoot(page, { name: `${size.name}-${colorScheme}${context.javaScriptEnabled ? "" : "-noscript"}` }, name);
          await accessible(page, context);
          await fits(page);
        }
      }
      await page.setViewportSize({ width, height });
    },
    // What a provider asks on its page.
    async answer({ name }) {
      const login = (await heading(page)).startsWith("Log in");
      if (login) await page.getByLabel(/^Account/).fill(name);
      await hands.press(login ? "Log in" : "Allow");
      return login ? "login" : "consent";
    },
    // Whatever a provider asks, until it sends the browser back: who it is, and that authd may know. What it asked.
    async pass(person) {
      const asked = [];
      // From the leading page the browser goes on by itself, where it hasn't yet.
      await page.locator("h1").filter({ hasNotText: /^On to / }).waitFor();
      while (issuers.includes(new URL(page.url()).origin)) asked.push(await hands.answer(person));
      return asked.join(" ");
    },
    async signInWith(title, person) {
      await hands.goTo("/auth/sign-in");
      await hands.follow(`Sign in with ${title}`);
      return hands.pass(person);
    },
    async signInByPassword({ email }) {
      await hands.goTo("/auth/sign-in");
      await hands.fill("E-mail address", email);
      await hands.fill("Password", PASSWORD);
      await hands.press("Sign in");
      same(await heading(page), "Your account");
    },
    async signOut() {
      await hands.goTo("/auth/sign-out");
      await page.locator("main").getByRole("button").click();
      same(await hands.status(), "You are signed out.");
    },
    async isIn({ email }) {
      same(await heading(page), "Your account", `after ${await hands.main()}`);
      demand((await hands.main()).includes(email), `the account is that of ${email}`);
    },
    // Goes to a provider; gives the address that it would have sent the browser back to.
    async holdCallback(title, person) {
      const at = title === "Acme" ? acme : bolt;
      const held = at.hold();
      await hands.goTo("/auth/sign-in");
      await hands.follow(`Sign in with ${title}`);
      while ((await heading(page)) !== "Held") await hands.answer(person);
      at.letGo();
      return held[0];
    },
  };
  return hands;
}

// What the real oathtool makes of a key; a step ahead there is another code, which counts already: clocks differ.
export const oathtool = (key, ahead = 0) =>
  execFileSync("oathtool", ["--totp", "--base32", "--now", `+${ahead} seconds`, key], { encoding: "utf8" }).trim();
