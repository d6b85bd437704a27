// What every test in Chromium needs: AUTHD and FOLDER of the command line, a count of what passed, a daemon with a
// database of its own, the browser, and what is asked of every page.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join, resolve } from "node:path";

export const [authd, folder] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(folder, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const shots = join(folder, "shots");
mkdirSync(shots, { recursive: true });

export const PASSWORD = "correct horse battery staple";

let passed = 0;
let failed = 0;

export async function test(name, work) {
  let timer;
  const late = new Promise((_, fail) => (timer = setTimeout(() => fail(new Error("it took over 60 s")), 60_000)));
  try {
    await Promise.race([work(), late]);
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    const story = error.cause ? `${error.stack}\ncause: ${error.cause}` : error.stack;
    console.log(`FAILED  ${name}\n        ${story.replaceAll("\n", "\n        ")}`);
  } finally {
    clearTimeout(timer);
  }
}

export function demand(holds, what) {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

export function same(found, wanted, what = "") {
  if (found !== wanted) throw new Error(`${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

// Says what came of all, as tests/run reads it.
export function summary() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

// The environment of a daemon in `home`: quick hashes, no rate limits, and what `more` says.
export const environment = (home, port, more) => ({
  PATH: process.env.PATH,
  AUTHD_DATABASE: join(home, "authd.db"),
  AUTHD_LISTEN: `127.0.0.1:${port}`,
  AUTHD_PASSWORD__ARGON2_MEMORY_KIB: "8",
  AUTHD_PASSWORD__ARGON2_ITERATIONS: "1",
  AUTHD_RATE_LIMIT__ENABLED: "false",
  AUTHD_PROXY__TRUSTED: "127.0.0.1",
  ...more,
});

export async function startDaemon(env, home) {
  const daemon = spawn(authd, ["serve"], { env, cwd: home, stdio: ["ignore", "ignore", "pipe"] });
  await new Promise((done, fail) => {
    let said = "";
    daemon.stderr.on("data", (text) => {
      said += text;
      if (said.includes("listening on")) done();
    });
    daemon.on("exit", () => fail(new Error(`the daemon ended: ${said}`)));
  });
  return daemon;
}

export const startBrowser = (...more) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });

export const heading = (page) => page.locator("h1").innerText();
export const shoot = (page, context, name) => page.screenshot({ path: join(shots, `${name}-${context.name}.png`), fullPage: true });

// Contrast, labels, names, landmarks, language: what a machine can tell of WCAG 2.2 AA. The machine is a
// script itself.
export async function accessible(page, context, options = {}) {
  if (!context.javaScriptEnabled) return;
  await page.evaluate(axe);
  const { violations } = await page.evaluate((options) => window.axe.run(options), options);
  same(violations.map((found) => `${found.id}: ${found.nodes[0].html}`).join("; "), "", "what axe found");
}

export async function fits(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  demand(over <= 0, `the page is not wider than the screen, ${over}`);
}
