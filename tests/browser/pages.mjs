// The landing pages as people meet them: links from real mails, in Chromium, light and dark, wide and
// narrow, with scripts on and off. Usage: node pages.mjs AUTHD FOLDER, after tests/browser/run.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { account, longAccount } from "./account.mjs";
import { admin } from "./admin.mjs";
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
  shots,
  startBrowser,
  startDaemon,
  summary,
  test,
} from "./harness.mjs";
import { magicLink } from "./magic_link.mjs";
import { byKeyboardAlone, signIn } from "./sign_in.mjs";
import { story } from "./story.mjs";

const OTHER = "another long enough password";
const WIDE = { width: 1280, height: 800 };
const TABLET = { width: 768, height: 1024 };
const PHONE = { width: 360, height: 740 };
const SMALL = { width: 320, height: 640 };
const CONTEXTS = [
  { name: "light-wide", colorScheme: "light", viewport: WIDE, javaScriptEnabled: true },
  { name: "dark-tablet", colorScheme: "dark", viewport: TABLET, javaScriptEnabled: true },
  { name: "dark-small", colorScheme: "dark", viewport: SMALL, javaScriptEnabled: true },
  { name: "light-phone-noscript", colorScheme: "light", viewport: PHONE, javaScriptEnabled: false },
];

// The daemon, with a database of its own.

const home = mkdtempSync(join(tmpdir(), "authd-browser-"));
const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const env = environment(home, port, {
  AUTHD_PUBLIC_URL: origin,
  AUTHD_TOTP__ISSUER: "Example",
  AUTHD_MAGIC_LINK__ENABLED: "true",
  AUTHD_MAIL__MAX_PER_ADDRESS_PER_HOUR: "20",
});
const authctl = (...args) => execFileSync(authd, args, { env, cwd: home, encoding: "utf8" });

async function post(path, body, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(`${origin}/api/auth${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  return { ...(text ? JSON.parse(text) : {}), status: answer.status };
}

const login = (email, password) => post("/login", { email, password });

// The link in the newest mail of a kind. Mails may be written in the background: it is waited for.
async function linkIn(email, kind) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    const mails = JSON.parse(authctl("mail", "list", "-o", "json"));
    const mail = (mails.items ?? mails).find((mail) => mail.to === email && mail.kind === kind);
    const link = mail && authctl("mail", "show", mail.id).match(/http:\/\/127\.0\.0\.1:\d+\/auth\/[\w-]+\?token=[\w-]+/);
    if (link) return link[0];
  }
  throw new Error(`no ${kind} came to ${email}`);
}

// The code in the newest mail to sign in with.
function codeIn(email) {
  const mails = JSON.parse(authctl("mail", "list", "-o", "json"));
  const mail = (mails.items ?? mails).find((mail) => mail.to === email && mail.kind === "magic_link");
  return authctl("mail", "show", mail.id).match(/^ *(\d{4} \d{4})$/m)[1];
}

let count = 0;
const newAddress = () => `person${(count += 1)}@example.com`;

async function addUser(email = newAddress(), name = "", ...more) {
  const args = ["user", "add", email, "--name", name, "--verified", "--password-stdin", ...more];
  execFileSync(authd, args, { env, cwd: home, input: PASSWORD, stdio: ["pipe", "ignore", "ignore"] });
  return email;
}

async function verificationLink(email = newAddress()) {
  same((await post("/register", { email, password: PASSWORD })).status, 202, "registering");
  return { email, link: await linkIn(email, "verify_email") };
}

async function resetLink() {
  const email = await addUser();
  same((await post("/password/reset/request", { email })).status, 202, "asking for a reset");
  return { email, link: await linkIn(email, "reset_password") };
}

async function changeLink() {
  const email = await addUser();
  const fresh = newAddress();
  const { access_token: token } = await login(email, PASSWORD);
  same((await post("/email/change/request", { new_email: fresh }, token)).status, 202, "asking for a change");
  return { email, fresh, link: await linkIn(fresh, "change_email") };
}

// A page in the browser, which tells of everything that it asks for and complains of.

async function openPage(browser, context) {
  const own = await browser.newContext(context);
  const page = await own.newPage();
  const trouble = [];
  page.on("console", (message) => {
    // A page that says 4xx is an answer, not trouble.
    if (!message.text().startsWith("Failed to load resource")) trouble.push(message.text());
  });
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    const secret = request.headers().referer?.includes("token=");
    if (url.origin !== origin || secret) trouble.push(`${request.method()} ${request.url()}`);
  });
  return { page, trouble, close: () => own.close() };
}

async function verify(browser, context) {
  const { email, link } = await verificationLink();
  const { page, trouble, close } = await openPage(browser, context);
  await page.goto(link);
  same(await heading(page), "Confirm your address");
  demand((await page.locator("main").innerText()).includes(email), "the page names the address");
  await shoot(page, context, "verify");
  await accessible(page, context);
  await page.reload();
  same((await login(email, PASSWORD)).code, "email_not_verified", "before the button");
  await page.getByRole("button", { name: "Confirm address" }).click();
  same(await heading(page), "Address confirmed");
  same(page.url(), `${origin}/auth/verify-email`, "the address bar");
  await shoot(page, context, "verified");
  await accessible(page, context);
  same((await login(email, PASSWORD)).status, 200, "after the button");
  await page.goto(link);
  same(await heading(page), "This link doesn’t work any more");
  await shoot(page, context, "dead");
  await accessible(page, context);
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}

// Somebody else has registered the address, too: the password says whose registration the link is of.
async function contested(browser, context) {
  const { email, link } = await verificationLink();
  same((await post("/register", { email, password: OTHER, name: "Eve" })).status, 202, "registering once more");
  const { page, trouble, close } = await openPage(browser, context);
  await page.goto(link);
  demand((await page.locator("dl").innerText()).includes("127.0.0.1"), "the page says who registered");
  const password = page.getByLabel("The password that you chose");
  await shoot(page, context, "contested");
  await accessible(page, context);
  await fits(page);
  await password.fill(`${OTHER} and more`);
  await page.getByRole("button", { name: "Confirm address" }).click();
  demand((await page.getByRole("alert").innerText()).includes("with this password"), "the reason is said");
  same(await password.inputValue(), "", "a refused password is not sent back");
  await shoot(page, context, "contested-wrong");
  await accessible(page, context);
  await password.fill(PASSWORD);
  await page.getByRole("button", { name: "Confirm address" }).click();
  same(await heading(page), "Address confirmed");
  same((await login(email, PASSWORD)).status, 200, "after the button");
  same((await login(email, OTHER)).code, "email_not_verified", "the other's registration, which waits in vain");
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}

async function reset(browser, context) {
  const { email, link } = await resetLink();
  const { page, trouble, close } = await openPage(browser, context);
  await page.goto(link);
  same(await heading(page), "Choose a password");
  same(await page.getByLabel("Account").inputValue(), email, "the account");
  await shoot(page, context, "reset");
  await accessible(page, context);
  const first = page.getByLabel("New password");
  const second = page.getByLabel("The same once more");
  const set = page.getByRole("button", { name: "Set password" });

  // The browser itself refuses a short one, without a script.
  await first.fill("short");
  await second.fill("short");
  await set.click();
  demand(page.url() === link, "a short password is not sent");

  await first.fill("passwordpassword");
  await second.fill("passwordpassword");
  await set.click();
  demand((await page.getByRole("alert").innerText()).includes("common"), "the reason is said");
  same(await page.getByLabel("Account").inputValue(), email, "the account, still");
  same(await first.inputValue(), "", "a refused password is not sent back");
  await shoot(page, context, "weak");
  await accessible(page, context);
  same((await login(email, PASSWORD)).status, 200, "the old password, still");

  await first.fill(OTHER);
  await second.fill(OTHER);
  await set.click();
  same(await heading(page), "Your password is set");
  await shoot(page, context, "set");
  same((await login(email, OTHER)).status, 200, "the new password");
  same((await login(email, PASSWORD)).status, 401, "the old password");
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}

async function change(browser, context) {
  const { email, fresh, link } = await changeLink();
  const { page, trouble, close } = await openPage(browser, context);
  await page.goto(link);
  same(await heading(page), "Change your address");
  await shoot(page, context, "change");
  await accessible(page, context);
  same((await login(fresh, PASSWORD)).status, 401, "before the button");
  await page.getByRole("button", { name: "Use this address" }).click();
  same(await heading(page), "Address changed");
  await shoot(page, context, "changed");
  same((await login(fresh, PASSWORD)).status, 200, "the new address");
  same((await login(email, PASSWORD)).status, 401, "the old address");
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}

async function byKeyboard(browser, context) {
  const { email, link } = await resetLink();
  const { page, close } = await openPage(browser, context);
  await page.goto(link);
  for (const id of ["account", "new_password", "new_password_again"]) {
    await page.keyboard.press("Tab");
    same(await page.evaluate(() => document.activeElement.id), id, "the focus");
    const outline = await page.evaluate(() => parseFloat(getComputedStyle(document.activeElement).outlineWidth));
    demand(outline >= 2, `the focus on ${id} can be seen`);
    if (id !== "account") await page.keyboard.type(OTHER);
  }
  await shoot(page, context, "focus");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  same(await heading(page), "Your password is set");
  same((await login(email, OTHER)).status, 200, "the new password");
  await close();
}

async function narrow(browser) {
  const email = `${"a-rather-long-name.".repeat(3)}x@${"long-".repeat(11)}domain.${"sub.".repeat(10)}example.com`;
  const { link } = await verificationLink(email);
  const context = { name: "narrow", viewport: { width: 320, height: 640 }, colorScheme: "light" };
  const { page, close } = await openPage(browser, context);
  await page.goto(link);
  await shoot(page, context, "verify");
  await fits(page);
  // Twice the size of letters, as a reader may set it (WCAG 1.4.4).
  await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
  await fits(page);
  await close();
}

async function otherSite(browser, context) {
  const { link } = await verificationLink();
  const { page, close } = await openPage(browser, context);
  // A page of another origin can't frame ours, and what it posts is refused.
  const attacker = createServer((socket) => {
    const [token] = link.split("token=").slice(1);
    const html = `<!doctype html><iframe src="${link}"></iframe>
      <form method="post" action="${origin}/auth/verify-email"><input name="token" value="${token}"><button>win</button></form>`;
    socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n${html}`));
  });
  await new Promise((done) => attacker.listen(0, "127.0.0.1", done));
  await page.goto(`http://localhost:${attacker.address().port}/`);
  const framed = page.frames()[1];
  demand(!framed || (await framed.locator("form").count()) === 0, "the page is not shown in a frame");
  await page.getByRole("button", { name: "win" }).click();
  same(await heading(page), "Another site sent this form");
  attacker.close();
  await close();
}

const kit = { origin, password: PASSWORD, addUser, newAddress, openPage, heading, shoot, accessible, fits, same, demand, authctl, linkIn, codeIn, shots };

const daemon = await startDaemon(env, home);
const browser = await startBrowser();
try {
  for (const context of CONTEXTS) {
    await test(`verify, ${context.name}`, () => verify(browser, context));
    await test(`contested, ${context.name}`, () => contested(browser, context));
    await test(`reset, ${context.name}`, () => reset(browser, context));
    await test(`change, ${context.name}`, () => change(browser, context));
    await test(`sign-in, ${context.name}`, () => signIn(browser, context, kit));
    await test(`magic link, ${context.name}`, () => magicLink(browser, context, kit));
    await test(`account, ${context.name}`, () => account(browser, context, kit));
    await test(`admin, ${context.name}`, () => admin(browser, context, kit));
  }
  await test("from registering to a deleted account by keyboard alone", () => byKeyboardAlone(browser, CONTEXTS[0], kit));
  await test("a person's story", () => story(browser, kit));
  await test("a password set by keyboard alone", () => byKeyboard(browser, CONTEXTS[0]));
  await test("a long address on a narrow screen", () => narrow(browser));
  await test("an account with a long address and name", () => longAccount(browser, kit));
  await test("another origin's frame and form", () => otherSite(browser, CONTEXTS[0]));
} finally {
  await browser.close();
  daemon.kill("SIGTERM");
  rmSync(home, { recursive: true, force: true });
}
summary();
