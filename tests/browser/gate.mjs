// Applications behind the gate as people meet them: Chromium, Caddy with the file of docs/examples/gate over TLS, two
// applications, authd. Usage: node gate.mjs AUTHD FOLDER, after tests/browser/run.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
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

const AUTH = "https://auth.example.com";
const WIKI = "https://wiki.example.com";
const SHOP = "https://shop.example.com";
const ANN = "ann@example.com";
const BOB = "bob@example.com";
const CONTEXTS = [
  { name: "light-wide", colorScheme: "light", viewport: { width: 1280, height: 800 }, javaScriptEnabled: true },
  { name: "dark-phone-noscript", colorScheme: "dark", viewport: { width: 360, height: 740 }, javaScriptEnabled: false },
  { name: "dark-narrow", colorScheme: "dark", viewport: { width: 320, height: 640 }, javaScriptEnabled: true },
];

// authd, two applications and Caddy.

const home = mkdtempSync(join(tmpdir(), "authd-gate-"));
const port = await freePort();
const env = environment(home, port, { AUTHD_PUBLIC_URL: AUTH });
const authctl = (args, input = "") => execFileSync(authd, args, { env, cwd: home, input, stdio: "pipe" });

// Shows who it was told is asking, and which cookies came along.
async function startApplication(name) {
  const server = createServer((request, response) => {
    const { "remote-email": email, cookie = "" } = request.headers;
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(`<!doctype html><html lang="en"><title>${name}</title><h1>${name}</h1>
      <p id="who">${email}</p><p id="cookies">${cookie}</p><p id="how">${request.method} ${request.url}</p>
      <form method="post"><button>Save</button></form>`);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

async function startCaddy(ports) {
  const tls = await freePort();
  const source = join(dirname(fileURLToPath(import.meta.url)), "../../docs/examples/gate/caddy/Caddyfile");
  const text = readFileSync(source, "utf8").replaceAll(/127\.0\.0\.1:(\d+)/g, (_, known) => `127.0.0.1:${ports[known]}`);
  const own = ["local_certs", "skip_install_trust", "auto_https disable_redirects", `https_port ${tls}`];
  const file = join(home, "Caddyfile");
  writeFileSync(file, `{\n\t${own.join("\n\t")}\n}\n${text}`);
  const place = { HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, CADDY_ADMIN: `127.0.0.1:${await freePort()}` };
  const log = openSync(join(home, "caddy.log"), "w");
  const caddy = spawn("caddy", ["run", "--adapter", "caddyfile", "--config", file], {
    env: { ...env, ...place },
    stdio: ["ignore", log, log],
  });
  const ended = new Promise((_, fail) => {
    caddy.on("error", fail);
    caddy.on("exit", () => fail(new Error(`Caddy ended: ${readFileSync(join(home, "caddy.log"), "utf8")}`)));
  });
  ended.catch(() => {});
  for (const origin of [AUTH, WIKI, SHOP]) await Promise.race([ended, certified(origin, tls)]);
  return { caddy, tls };
}

// Waits until Caddy has made the certificate of a host.
async function certified(origin, tls) {
  const { hostname } = new URL(origin);
  const asked = { host: "127.0.0.1", port: tls, servername: hostname, headers: { host: hostname }, rejectUnauthorized: false };
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    const came = await new Promise((done) => {
      const request = get(asked, (response) => done(Boolean(response.resume())));
      request.on("error", () => done(false));
    });
    if (came) return;
  }
  throw new Error(`Caddy has no certificate for ${hostname}`);
}

// A browser that knows nobody yet, and tells of everything that it complains of.

async function openPage(browser, context) {
  const own = await browser.newContext({ ...context, ignoreHTTPSErrors: true });
  const page = await own.newPage();
  const trouble = [];
  const visited = [];
  page.on("console", (message) => {
    // A page that says 4xx is an answer, not trouble; that a sign-out clears what pages left is told, too.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (!isAnswer && ["error", "warning"].includes(message.type())) trouble.push(message.text());
  });
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("framenavigated", (frame) => visited.push(frame.url()));
  return { page, trouble, visited, cookies: (origin) => own.cookies(origin), close: () => own.close() };
}

async function look(page, context, name) {
  await shoot(page, context, `gate-${name}`);
  if (!context.javaScriptEnabled) return;
  // It would fetch the stylesheet itself, which the page's policy forbids where that is another host's.
  await accessible(page, context, { preload: false });
  await fits(page);
  // The stylesheet comes from another host at an application's.
  const sheets = await page.evaluate(() => Array.from(document.styleSheets, (sheet) => sheet.href));
  demand(sheets.length > 0 && sheets.every((sheet) => sheet.startsWith(AUTH)), `the page has its stylesheet: ${sheets}`);
}

async function signIn(page, email) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

async function isIn(page, url, email) {
  same(page.url(), url, "where the browser is");
  same(await page.locator("#who").innerText(), email, "whom the application was told of");
  same(await page.locator("#cookies").innerText(), "", "the cookies that the application got");
}

const asksToSignIn = async (page, host) => {
  demand(page.url().startsWith(`${AUTH}/auth/sign-in?`), `the sign-in page, not ${page.url()}`);
  same(await heading(page), "Sign in");
  demand((await page.locator("main").innerText()).includes(`To go on to ${host}.`), "the page says where to");
};

async function oneSignInForAll(browser, context) {
  const { page, trouble, visited, cookies, close } = await openPage(browser, context);
  await page.goto(`${WIKI}/page?a=b&c=%2Fd`);
  await asksToSignIn(page, "wiki.example.com");
  await look(page, context, "sign-in");
  await page.getByLabel("E-mail address").fill(ANN);
  await page.getByLabel("Password").fill(`${PASSWORD} and more`);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  demand((await page.getByRole("alert").innerText()).length > 0, "a wrong password is told of");
  await signIn(page, ANN);
  await isIn(page, `${WIKI}/page?a=b&c=%2Fd`, ANN);
  same((await cookies(WIKI)).map((cookie) => cookie.name).sort().join(), "__Host-authd_app,__Host-authd_state", "the cookies at the wiki's host");
  if (context.javaScriptEnabled) same(await page.evaluate(() => document.cookie), "", "the cookies that scripts see");
  await page.getByRole("button", { name: "Save" }).click();
  same(await page.locator("#how").innerText(), "POST /page?a=b&c=%2Fd", "a form of the application's own");
  await page.reload();

  visited.length = 0;
  await page.goto(`${SHOP}/cart`);
  await isIn(page, `${SHOP}/cart`, ANN);
  same(visited.join(), `${SHOP}/cart`, "no page on the way to the second application");

  await page.goto(`${WIKI}/.authd/sign-out`);
  same(await heading(page), "Sign out?");
  await look(page, context, "sign-out");
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  same(page.url(), `${AUTH}/auth/sign-in`, "after signing out");
  same((await cookies(WIKI)).length, 0, "the cookies at the wiki's host, afterwards");
  await page.goto(`${SHOP}/cart`);
  await asksToSignIn(page, "shop.example.com");
  await page.goto(`${WIKI}/page`);
  await asksToSignIn(page, "wiki.example.com");
  await page.goBack();
  demand(!page.url().startsWith(WIKI), "going back shows nothing of the wiki");
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}

async function anotherAccount(browser, context) {
  const { page, trouble, close } = await openPage(browser, context);
  await page.goto(`${WIKI}/page`);
  await signIn(page, BOB);
  same(await heading(page), "Not for this account");
  demand((await page.locator("main").innerText()).includes(BOB), "the page says who one is");
  await look(page, context, "not-allowed");
  await page.goto(`${SHOP}/`);
  await isIn(page, `${SHOP}/`, BOB);
  await page.goto(`${WIKI}/page`);
  same(await heading(page), "Not for this account");
  await page.getByRole("link", { name: "Use another account" }).click();
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  demand(page.url().startsWith(`${AUTH}/auth/sign-in`), `the sign-in page, not ${page.url()}`);
  await signIn(page, ANN);
  await isIn(page, `${WIKI}/page`, ANN);
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}

async function aRoleThatIsLost(browser, context) {
  const { page, trouble, close } = await openPage(browser, context);
  await page.goto(`${WIKI}/page`);
  await signIn(page, ANN);
  await isIn(page, `${WIKI}/page`, ANN);
  authctl(["role", "unassign", ANN, "editor"]);
  try {
    await page.reload();
    same(page.url(), `${WIKI}/page`, "the page stays where it was");
    same(await heading(page), "Not for this account");
    await look(page, context, "lost");
  } finally {
    authctl(["role", "assign", ANN, "editor"]);
  }
  await page.reload();
  await isIn(page, `${WIKI}/page`, ANN);
  authctl(["user", "disable", ANN]);
  try {
    await page.reload();
    await asksToSignIn(page, "wiki.example.com");
  } finally {
    authctl(["user", "enable", ANN]);
  }
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}

async function aCodeOfSomebodyElse(browser, context) {
  const { page, trouble, close } = await openPage(browser, context);
  await page.goto(`${WIKI}/.authd/callback?code=authd_ag_somebody_else`);
  same(await heading(page), "Signing in didn’t work");
  await look(page, context, "again");
  await page.getByRole("link", { name: "Sign in" }).click();
  await signIn(page, ANN);
  await isIn(page, `${WIKI}/`, ANN);
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}

const daemon = await startDaemon(env, home);
const applications = [await startApplication("The wiki"), await startApplication("The shop")];
const [wiki, shop] = applications.map((server) => server.address().port);
const { caddy, tls } = await startCaddy({ 8080: port, 9000: wiki, 9001: shop });
authctl(["role", "add", "editor"]);
authctl(["user", "add", ANN, "--verified", "--role", "editor", "--password-stdin"], PASSWORD);
authctl(["user", "add", BOB, "--verified", "--password-stdin"], PASSWORD);
authctl(["app", "add", "wiki", "--url", WIKI, "--allow-role", "editor"]);
authctl(["app", "add", "shop", "--url", SHOP, "--allow-everyone"]);
const browser = await startBrowser("--no-proxy-server", `--host-resolver-rules=MAP *.example.com 127.0.0.1:${tls}`);
try {
  for (const context of CONTEXTS) {
    await test(`one sign-in for all applications, ${context.name}`, () => oneSignInForAll(browser, context));
    await test(`not for this account, but for another, ${context.name}`, () => anotherAccount(browser, context));
    await test(`a role that is lost, ${context.name}`, () => aRoleThatIsLost(browser, context));
    await test(`a code of somebody else, ${context.name}`, () => aCodeOfSomebodyElse(browser, context));
  }
} finally {
  await browser.close();
  caddy.removeAllListeners("exit");
  caddy.kill("SIGTERM");
  daemon.kill("SIGTERM");
  for (const server of applications) {
    server.close();
    server.closeAllConnections();
  }
  await new Promise((done) => caddy.on("exit", done));
  rmSync(home, { recursive: true, force: true });
}
summary();
