// examples/fastapi as people meet it: its own `run`, with Caddy, two workers and a real authd, in Chromium, from
// registration to a refused delete. Usage: node articles.mjs AUTHD FOLDER, after tests/fastapi/run; PYTHON is one that
// has what the application takes.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  PASSWORD,
  accessible,
  authd,
  demand,
  fits,
  freePort,
  heading,
  same,
  shoot,
  startBrowser,
  summary,
  test,
} from "../browser/harness.mjs";

const ANN = "ann@example.com";
const EVIL = "<script>document.title = 'broken'</script>";
const CONTEXTS = [
  { name: "light-wide", colorScheme: "light", viewport: { width: 1280, height: 800 }, javaScriptEnabled: true },
  { name: "dark-narrow-noscript", colorScheme: "dark", viewport: { width: 320, height: 640 }, javaScriptEnabled: false },
];

const run = join(dirname(fileURLToPath(import.meta.url)), "../../examples/fastapi/run");
const data = mkdtempSync(join(tmpdir(), "authd-articles-"));
const port = await freePort();
const home = `http://localhost:${port}`;
const env = {
  PATH: process.env.PATH,
  HOME: data,
  PYTHON: process.env.PYTHON,
  PYTHONDONTWRITEBYTECODE: "1",
  AUTHD: authd,
  DATA: data,
  PORT: String(port),
  LOGIN_PORT: String(await freePort()),
  APP_PORT: String(await freePort()),
  AUTHD_PASSWORD__ARGON2_MEMORY_KIB: "8",
  ...(process.env.DATABASE_URL ? { DATABASE_URL: process.env.DATABASE_URL } : {}),
};
const ctl = (...args) => execFileSync(run, ["ctl", ...args], { env, encoding: "utf8", stdio: "pipe" });

async function start() {
  const running = spawn(run, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let said = "";
  running.stdout.on("data", (text) => (said += text));
  running.stderr.on("data", (text) => (said += text));
  for (const end = Date.now() + 60_000; ; await new Promise((done) => setTimeout(done, 100))) {
    if (running.exitCode !== null || Date.now() > end) throw new Error(`it doesn't start: ${said}`);
    const answer = await fetch(home).catch(() => undefined);
    if (answer?.ok && said.includes(`the articles are at ${home}`)) return running;
  }
}

async function linkFor(email) {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) {
    const mails = JSON.parse(ctl("mail", "list", "-o", "json"));
    const mail = (mails.items ?? mails).find((mail) => mail.to === email && mail.kind === "verify_email");
    const link = mail && ctl("mail", "show", mail.id).match(/http:\/\/localhost:\d+\/auth\/[\w-]+\?token=[\w-]+/);
    if (link) return link[0];
  }
  throw new Error(`no mail came to ${email}`);
}

async function look(page, context, name) {
  await shoot(page, context, `articles-${name}`);
  await accessible(page, context);
  if (context.javaScriptEnabled) await fits(page);
}

async function signIn(page, email) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

async function write(page, title) {
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Text").fill(`It says ${EVIL}`);
  await page.getByRole("button", { name: "Publish" }).click();
  same(await heading(page), title);
}

// A browser that keeps what the page's policy or scripts complain of.
async function open(browser, context) {
  const own = await browser.newContext(context);
  const page = await own.newPage();
  const trouble = [];
  page.on("console", (message) => {
    // A page that says 4xx is an answer, not trouble.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (!isAnswer && message.type() === "error") trouble.push(message.text());
  });
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("dialog", (dialog) => trouble.push(dialog.message()));
  return { own, page, trouble };
}

async function fromRegistrationToARefusedDelete(browser, context) {
  const email = `${context.name}-${ANN}`;
  const { own, page, trouble } = await open(browser, context);
  await page.goto(home);
  same(await heading(page), "Articles");
  await look(page, context, "strangers");
  await page.getByRole("link", { name: "Register" }).click();
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.goto(await linkFor(email));
  await page.getByRole("button").first().click();
  // Whoever wants to write is led to sign in, and back.
  await page.goto(`${home}/write`);
  demand(page.url().startsWith(`${home}/auth/sign-in?`), `the sign-in page, not ${page.url()}`);
  await signIn(page, email);
  same(page.url(), `${home}/write`);
  await look(page, context, "write");
  await write(page, `News of ${context.name}, ${EVIL}`);
  demand((await page.locator(".text").innerText()).includes(EVIL), "what was written is text");
  await look(page, context, "article");
  const article = page.url();
  await page.getByRole("button", { name: "Delete" }).click();
  same(await heading(page), "Forbidden");
  demand((await page.locator("main").innerText()).includes("this takes the role editor"), "why is said");
  await look(page, context, "refused");
  // A role that is given counts at once, and so does one that is taken.
  const press = async () => {
    await page.goto(article);
    await page.getByRole("button", { name: "Delete" }).click();
  };
  ctl("role", "assign", email, "editor");
  ctl("role", "unassign", email, "editor");
  await press();
  same(await heading(page), "Forbidden");
  ctl("role", "assign", email, "editor");
  await press();
  same(page.url(), `${home}/`);
  same((await page.goto(article)).status(), 404);
  same(trouble.join("; "), "", "what the browser complains of");
  await own.close();
}

async function anotherSitesPageDeletesNothing(browser, context) {
  const email = `editor-${context.name}@example.com`;
  execFileSync(run, ["ctl", "user", "add", email, "--verified", "--role", "editor", "--password-stdin"], {
    env,
    input: `${PASSWORD}\n`,
    stdio: "pipe",
  });
  const { own, page } = await open(browser, context);
  await page.goto(`${home}/write`);
  await signIn(page, email);
  await write(page, "To stay");
  const article = page.url();
  const form = (fields) =>
    `<form method="post" action="${article}/delete">${fields}<button>Win a prize</button></form>`;
  const proof = (await own.cookies(home)).find((cookie) => cookie.name === "__Host-authd_csrf").value;
  // Its value is no help to a page of another site, if it had it: the browser says where a form comes from.
  for (const fields of ["", `<input type="hidden" name="csrf_token" value="${proof}">`]) {
    const evil = await own.newPage();
    await evil.route("http://evil.example/", (route) =>
      route.fulfill({ contentType: "text/html", body: `<!doctype html><title>Evil</title>${form(fields)}` }),
    );
    await evil.goto("http://evil.example/");
    await evil.getByRole("button").click();
    const said = await evil.locator("body").innerText();
    demand(/Cross-site request|Unauthenticated/.test(said), `the delete is refused: ${said}`);
    await evil.close();
  }
  same((await page.goto(article)).status(), 200);
  // Signed out, the same page offers to sign in, and the old form is worth nothing.
  const stale = await own.newPage();
  await stale.goto(article);
  await page.getByRole("link", { name: "Sign out" }).click();
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  await page.goto(article);
  same(await page.getByRole("button", { name: "Delete" }).count(), 0);
  await stale.getByRole("button", { name: "Delete" }).click();
  same(await heading(stale), "Unauthenticated");
  same((await page.goto(article)).status(), 200);
  await own.close();
}

const running = await start();
const browser = await startBrowser();
try {
  for (const context of CONTEXTS) {
    await test(`from registration to a refused delete, ${context.name}`, () =>
      fromRegistrationToARefusedDelete(browser, context));
    await test(`another site's page deletes nothing, ${context.name}`, () =>
      anotherSitesPageDeletesNothing(browser, context));
  }
  await test("all three end together, and nothing is left running", async () => {
    const ended = new Promise((done) => running.on("exit", done));
    process.kill(-running.pid, "SIGTERM");
    await ended;
    for (const one of [port, env.LOGIN_PORT, env.APP_PORT]) {
      demand(await fetch(`http://127.0.0.1:${one}`).then(() => false, () => true), `nobody listens at ${one}`);
    }
    demand(!readFileSync(join(data, "authd.log"), "utf8").includes("panicked"), "authd is well");
  });
} finally {
  await browser.close();
  if (running.exitCode === null) process.kill(-running.pid, "SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
summary();
