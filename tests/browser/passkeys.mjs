// Passkeys in Chromium, with its virtual authenticator in the device's place, on http://localhost: no browser takes
// them for an IP address. Usage: node passkeys.mjs AUTHD FOLDER, after tests/browser/run.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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
  summary,
  test,
} from "./harness.mjs";

const CONTEXTS = [
  { name: "light-wide", colorScheme: "light", viewport: { width: 1280, height: 800 }, javaScriptEnabled: true },
  { name: "dark-phone", colorScheme: "dark", viewport: { width: 360, height: 740 }, javaScriptEnabled: true },
  { name: "light-small", colorScheme: "light", viewport: { width: 320, height: 640 }, javaScriptEnabled: true },
];
const [LIGHT, DARK_PHONE, SMALL] = CONTEXTS;

const home = mkdtempSync(join(tmpdir(), "authd-passkeys-"));
const port = await freePort();
const origin = `http://localhost:${port}`;
const env = environment(home, port, { AUTHD_PUBLIC_URL: origin });
const authctl = (...args) => execFileSync(authd, args, { env, cwd: home, encoding: "utf8" });

let count = 0;
function addUser() {
  const email = `person${(count += 1)}@example.com`;
  const args = ["user", "add", email, "--verified", "--password-stdin"];
  execFileSync(authd, args, { env, cwd: home, input: PASSWORD, stdio: ["pipe", "ignore", "ignore"] });
  return email;
}

const items = (json) => json.items ?? json;
const events = (email) => {
  const lines = authctl("audit", "tail", "--user", email, "-o", "json").trim().split("\n");
  return lines.map((line) => JSON.parse(line).event);
};

// Mails may be written in the background: one of a kind is waited for.
async function mailOf(email, kind) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    const mail = items(JSON.parse(authctl("mail", "list", "-o", "json"))).find((mail) => mail.to === email && mail.kind === kind);
    if (mail) return mail;
  }
  throw new Error(`no ${kind} came to ${email}`);
}

const DEVICE = {
  protocol: "ctap2",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};

// A person at a browser that has a device, which `more` makes another one.
class Person {
  static async at(browser, context = LIGHT, more = {}) {
    const own = await browser.newContext(context);
    const person = new Person();
    Object.assign(person, { own, context, page: await own.newPage(), trouble: [] });
    person.page.on("console", (message) => {
      if (!message.text().startsWith("Failed to load resource")) person.trouble.push(message.text());
    });
    person.page.on("pageerror", (error) => person.trouble.push(String(error)));
    person.cdp = await own.newCDPSession(person.page);
    await person.cdp.send("WebAuthn.enable");
    if (more) await person.getDevice(more);
    return person;
  }

  async getDevice(more = {}) {
    const options = { ...DEVICE, ...more };
    ({ authenticatorId: this.device } = await this.cdp.send("WebAuthn.addVirtualAuthenticator", { options }));
  }

  tell(method, more = {}) {
    return this.cdp.send(`WebAuthn.${method}`, { authenticatorId: this.device, ...more });
  }

  async credentials() {
    return (await this.tell("getCredentials")).credentials;
  }

  // Its finger is off: nothing is answered by itself.
  setPresent(enabled) {
    return this.tell("setAutomaticPresenceSimulation", { enabled });
  }

  press(name) {
    return this.page.getByRole("button", { name, exact: true }).click();
  }

  open(path) {
    return this.page.goto(`${origin}${path}`);
  }

  async lands(title) {
    await this.page.locator("h1", { hasText: title }).waitFor({ timeout: 15_000 });
    same(await heading(this.page), title, "the page");
  }

  async says(text) {
    const alert = this.page.getByRole("alert").filter({ hasText: text });
    await alert.waitFor({ timeout: 15_000 });
  }

  async look(name) {
    await shoot(this.page, this.context, `passkeys-${name}`);
    await accessible(this.page, this.context);
    await fits(this.page);
  }

  async signIn(email, password = PASSWORD) {
    await this.open("/auth/sign-in");
    await this.page.getByLabel("E-mail address").fill(email);
    await this.page.getByLabel("Password").fill(password);
    await this.press("Sign in");
  }

  async add(name = "Phone") {
    await this.open("/auth/account/passkeys");
    await this.page.locator("#name").fill(name);
    await this.press("Add a passkey");
    await this.page.waitForURL((url) => url.pathname !== "/auth/account/passkeys" || url.search !== "");
  }

  // Signed out, with nothing but the device left.
  async leave() {
    await this.own.clearCookies();
  }

  async close() {
    const trouble = this.trouble.filter((text) => !/^Clear-Site-Data|default algorithm identifiers/.test(text));
    same(trouble.join("; "), "", "what the browser complained of");
    await this.own.close();
  }
}

// Somebody who has a passkey, signed in.
async function withPasskey(browser, context, more) {
  const email = addUser();
  const person = await Person.at(browser, context, more);
  await person.signIn(email);
  await person.lands("Your account");
  await person.add();
  await person.lands("Your recovery codes");
  return { email, person };
}

async function addAndUse(browser, context) {
  const email = addUser();
  const person = await Person.at(browser, context);
  await person.signIn(email);
  await person.lands("Your account");
  await person.open("/auth/account/passkeys");
  await person.look("none");
  await person.page.locator("#name").fill("My phone");
  await person.press("Add a passkey");
  await person.lands("Your recovery codes");
  await person.look("codes");
  await person.open("/auth/account/passkeys");
  demand((await person.page.locator("main").innerText()).includes("My phone"), "it is listed");
  await person.look("one");
  await person.page.getByText("Rename").click();
  await person.look("rename");
  await person.open("/auth/account");
  await person.look("account");
  await person.open("/auth/account/two-factor");
  await person.look("two-factor");
  await person.open("/auth/account/password");
  await person.look("password");
  await person.open("/auth/account/recovery-codes");
  await person.look("recovery-codes");
  // The device knows the account already.
  await person.open("/auth/account/passkeys");
  await person.press("Add a passkey");
  await person.says("already");
  await person.look("known");
  await person.leave();
  await person.setPresent(false);
  await person.open("/auth/sign-in");
  await person.page.getByRole("button", { name: "Sign in with a passkey" }).waitFor();
  await person.look("sign-in");
  await person.setPresent(true);
  await person.page.getByLabel("Stay signed in").check();
  await person.press("Sign in with a passkey");
  await person.lands("Your account");
  const cookie = (await person.own.cookies()).find((cookie) => cookie.name === "__Host-authd_session");
  demand(cookie.expires > 0, "the box counted");
  same(events(email).filter((event) => event === "PasskeyAdded").length, 1, "PasskeyAdded");
  await mailOf(email, "passkey_added");
  await person.open("/auth/account/passkeys");
  await person.press("Remove");
  await person.lands("Passkeys");
  demand((await person.page.locator("main").innerText()).includes("signs in no more"), "it is gone");
  await person.close();
}

// Without a press of anything: the name field's own offer. The virtual authenticator takes it by itself.
async function conditional(browser) {
  const { person } = await withPasskey(browser);
  await person.leave();
  await person.setPresent(false);
  await person.open("/auth/sign-in");
  same(await person.page.getByLabel("E-mail address").getAttribute("autocomplete"), "username webauthn");
  await person.setPresent(true);
  await person.open("/auth/sign-in");
  await person.lands("Your account");
  await person.close();
}

// A page that stands open for longer than a ceremony lives asks for another one.
async function openForLong(browser) {
  const { person } = await withPasskey(browser);
  await person.leave();
  await person.setPresent(false);
  await person.page.clock.install();
  await person.open("/auth/sign-in");
  await person.page.clock.fastForward(10 * 60_000);
  await person.setPresent(true);
  const again = person.page.waitForRequest((request) => request.url().endsWith("/api/auth/passkeys/login/start"));
  await person.press("Sign in with a passkey");
  await again;
  await person.lands("Your account");
  await person.close();
}

// Lost: the phone with the app, the passkey, the password; and no mail is read.
async function lostEverything(browser, context) {
  const { email, person: thief } = await withPasskey(browser, context);
  const url = JSON.parse(authctl("user", "recover-link", email, "-o", "json")).link;
  const person = await Person.at(browser, context);
  await person.page.goto(url);
  await person.lands("Get back into your account");
  await person.look("recover");
  const password = `${PASSWORD} anew`;
  await person.page.getByLabel("New password").fill(password);
  await person.page.getByLabel("The same once more").fill(password);
  await person.press("Set password and sign in");
  await person.lands("You are back in");
  await person.look("recovered");
  await thief.setPresent(false);
  await thief.open("/auth/account");
  await thief.lands("Sign in");
  await thief.setPresent(true);
  await thief.page.bringToFront();
  await thief.press("Sign in with a passkey");
  await thief.says("This passkey is not accepted");
  await person.page.bringToFront();
  await person.page.getByRole("link", { name: "Add a passkey" }).click();
  await person.lands("Passkeys");
  await person.page.locator("#name").fill("New phone");
  await person.press("Add a passkey");
  await person.lands("Your recovery codes");
  await person.page.goto(url);
  await person.lands("This link doesn’t work any more");
  await person.leave();
  await person.open("/auth/sign-in");
  await person.lands("Your account");
  await person.leave();
  await person.setPresent(false);
  await person.signIn(email, password);
  await person.lands("Second step");
  for (const event of ["RecoveryLinkMade", "AccountRecovered"]) demand(events(email).includes(event), event);
  await person.close();
  await thief.close();
}

// What an administrator sees of somebody's passkeys, and takes from them.
async function administrator(browser, context) {
  const { email, person } = await withPasskey(browser, context);
  const root = addUser();
  authctl("role", "assign", root, "admin");
  const office = await Person.at(browser, context, null);
  await office.signIn(root);
  await office.lands("Your account");
  const { id } = JSON.parse(authctl("user", "show", email, "-o", "json"));
  await office.open(`/auth/admin/users/${id}`);
  await office.lands(email);
  await office.look("admin");
  await office.press("Remove");
  await office.page.getByText("The passkey is gone").waitFor();
  same(await office.page.getByRole("heading", { name: "Passkeys" }).count(), 0, "what is left");
  await person.open("/auth/account");
  await person.lands("Sign in");
  await office.close();
  await person.close();
}

async function secondFactor(browser, context) {
  const { email, person } = await withPasskey(browser, context);
  await person.leave();
  await person.setPresent(false);
  await person.signIn(email);
  await person.lands("Second step");
  same(await person.page.locator("#code").count(), 0, "a code that nobody has");
  await person.look("second-step");
  await person.setPresent(true);
  await person.press("Use a passkey");
  await person.lands("Your account");
  await person.close();
}

async function confirm(browser, context) {
  const { person } = await withPasskey(browser, context);
  // Whatever is older than five minutes is not fresh: here the page itself is opened, as one that is led to it sees it.
  await person.open("/auth/account/password");
  await person.page.getByLabel("Password so far").fill(PASSWORD);
  await person.page.getByLabel("New password").fill(`${PASSWORD}s`);
  await person.page.getByLabel("The same once more").fill(`${PASSWORD}s`);
  await person.press("Confirm with a passkey instead");
  await person.lands("Your account");
  await person.close();
}

async function unverified(browser) {
  const { person } = await withPasskey(browser);
  await person.leave();
  await person.tell("setUserVerified", { isUserVerified: false });
  await person.open("/auth/sign-in");
  await person.press("Sign in with a passkey");
  await person.says("The browser gave no passkey");
  await person.look("unverified");
  same(await heading(person.page), "Sign in");
  await person.close();
}

async function cloned(browser) {
  const { email, person } = await withPasskey(browser);
  await person.leave();
  await person.open("/auth/sign-in");
  await person.lands("Your account");
  // A copy of the key, from before: its counter is behind.
  const [credential] = await person.credentials();
  await person.tell("removeCredential", { credentialId: credential.credentialId });
  await person.tell("addCredential", { credential: { ...credential, signCount: 0 } });
  await person.leave();
  await person.open("/auth/sign-in");
  await person.says("This passkey is not accepted");
  demand(events(email).includes("PasskeyRefused"), "it is in the log");
  await mailOf(email, "passkey_refused");
  await person.close();
}

async function backedUp(browser) {
  for (const [flags, badge] of [
    [{ defaultBackupEligibility: true, defaultBackupState: true }, "Synced"],
    [{ defaultBackupEligibility: true, defaultBackupState: false }, "On one device"],
    [{}, "On one device"],
  ]) {
    const { person } = await withPasskey(browser, LIGHT, flags);
    await person.open("/auth/account/passkeys");
    same(await person.page.locator(".list .badge").innerText(), badge, JSON.stringify(flags));
    await person.close();
  }
  // One that may be copied never turns into one that may not.
  const { email, person } = await withPasskey(browser, LIGHT, { defaultBackupEligibility: true, defaultBackupState: true });
  const [credential] = await person.credentials();
  await person.tell("removeCredential", { credentialId: credential.credentialId });
  const changed = { ...credential, backupEligibility: false, backupState: false };
  await person.tell("addCredential", { credential: changed });
  await person.leave();
  await person.open("/auth/sign-in");
  await person.says("This passkey is not accepted");
  demand(events(email).includes("PasskeyRefused"), "it is in the log");
  await person.close();
}

// A security key, which says so, and signs in as well.
async function securityKey(browser) {
  const { email, person } = await withPasskey(browser, LIGHT, { transport: "usb" });
  await person.leave();
  await person.setPresent(false);
  await person.signIn(email);
  await person.lands("Second step");
  const options = JSON.parse(await person.page.locator("[data-options]").getAttribute("data-options"));
  same(options.allowCredentials[0].transports.join(), "usb", "the transports");
  await person.setPresent(true);
  await person.press("Use a passkey");
  await person.lands("Your account");
  await person.close();
}

// The virtual authenticator has ES256 alone among those that are offered, whichever stands first: that it passes over
// EdDSA is seen here; the others are in the tests with a device of their own.
async function algorithm(browser) {
  const email = addUser();
  const person = await Person.at(browser);
  await person.signIn(email);
  await person.open("/auth/account/passkeys");
  const options = JSON.parse(await person.page.locator("[data-options]").getAttribute("data-options"));
  same(options.pubKeyCredParams.map(({ alg }) => alg).join(), "-8,-7,-257", "the algorithms");
  for (const alg of [-7, -8, -257]) {
    const made = await person.page.evaluate(async ([options, alg]) => {
      options.pubKeyCredParams = [{ type: "public-key", alg }];
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      return navigator.credentials.create({ publicKey }).then(
        (credential) => credential.response.getPublicKeyAlgorithm(),
        (error) => error.name,
      );
    }, [options, alg]);
    console.log(`        algorithm ${alg}: ${made}`);
  }
  await person.close();
}

// The script of docs/passkeys.md, as a front end of one's own would have it.
async function frontEnd(browser) {
  const [, script] = readFileSync("docs/passkeys.md", "utf8").split("```js\n")[1].match(/^([^]*?)```/);
  const email = addUser();
  const person = await Person.at(browser);
  await person.open("/auth/sign-in");
  const run = (work) => person.page.evaluate(`(async () => { ${script}\n${work} })()`);
  const login = `await post("/login", { email: "${email}", password: "${PASSWORD}" })`;
  const added = await run(`return addPasskey((${login}).access_token, "Laptop");`);
  same(added.name, "Laptop");
  same(added.recovery_codes.length, 10);
  const alone = await run("return signIn();");
  same(alone.user.email, email);
  const [, payload] = alone.access_token.split(".");
  same(JSON.parse(Buffer.from(payload, "base64url")).amr.join(), "hwk,user,mfa", "both factors at once");
  const both = await run(`return secondStep((${login}).ticket);`);
  same(both.user.passkeys, 1);
  await person.close();
}

async function byKeyboardAlone(browser) {
  const email = addUser();
  const person = await Person.at(browser, SMALL);
  await person.signIn(email);
  await person.lands("Your account");
  await person.open("/auth/account/passkeys");
  const focus = () => person.page.evaluate(() => document.activeElement.id || document.activeElement.innerText);
  for (let tabs = 0; tabs < 20 && (await focus()) !== "name"; tabs += 1) await person.page.keyboard.press("Tab");
  await person.page.keyboard.type("Laptop");
  await person.page.keyboard.press("Tab");
  same(await focus(), "Add a passkey", "the focus");
  const outline = await person.page.evaluate(() => parseFloat(getComputedStyle(document.activeElement).outlineWidth));
  demand(outline >= 2, "the focus can be seen");
  await person.page.keyboard.press("Enter");
  await person.lands("Your recovery codes");
  await person.close();
}

async function withoutScript(browser) {
  const context = { ...SMALL, name: "noscript", javaScriptEnabled: false };
  const email = addUser();
  const own = await browser.newContext(context);
  const page = await own.newPage();
  await page.goto(`${origin}/auth/sign-in`);
  same(await page.getByRole("button", { name: "Sign in with a passkey" }).count(), 0, "buttons that do nothing");
  await shoot(page, context, "passkeys-sign-in");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.goto(`${origin}/auth/account/passkeys`);
  demand((await page.locator("main").innerText()).includes("with scripts on"), "it is said");
  same(await page.getByRole("button", { name: "Add a passkey" }).count(), 0, "buttons that do nothing");
  await shoot(page, context, "passkeys-none");
  await own.close();
}

const daemon = await startDaemon(env, home);
const browser = await startBrowser();
try {
  for (const context of CONTEXTS) {
    await test(`added, used and removed, ${context.name}`, () => addAndUse(browser, context));
    await test(`the second factor, ${context.name}`, () => secondFactor(browser, context));
  }
  await test("the name field offers it by itself", () => conditional(browser));
  await test("a page that stands open for long", () => openForLong(browser));
  for (const context of [LIGHT, DARK_PHONE]) {
    await test(`lost everything, and back in, ${context.name}`, () => lostEverything(browser, context));
    await test(`an administrator, ${context.name}`, () => administrator(browser, context));
  }
  await test("in the place of a code for a new password", () => confirm(browser, LIGHT));
  await test("a device that verifies nobody is refused in words", () => unverified(browser));
  await test("a cloned counter is refused, and told", () => cloned(browser));
  await test("what is backed up, and what changes that", () => backedUp(browser));
  await test("a security key", () => securityKey(browser));
  await test("the algorithms", () => algorithm(browser));
  await test("the script of docs/passkeys.md", () => frontEnd(browser));
  await test("one added by keyboard alone", () => byKeyboardAlone(browser));
  await test("without a script", () => withoutScript(browser));
} finally {
  await browser.close();
  daemon.kill("SIGTERM");
  rmSync(home, { recursive: true, force: true });
}
summary();
