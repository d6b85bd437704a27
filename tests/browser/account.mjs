// The pages of an account as people meet them, in Chromium: what they change, that they fit and that axe finds
// nothing. pages.mjs runs it, with its own daemon and tools.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const LONG = `${"a-rather-long-name.".repeat(3)}x@${"long-".repeat(11)}domain.${"sub.".repeat(10)}example.com`;

// What an authenticator app shows now (RFC 6238).
function codeOf(key) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(key.replaceAll(" ", ""), (letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const tag = createHmac("sha1", secret).update(counter).digest();
  const at = tag[19] & 15;
  return String((tag.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function signIn(page, kit, email) {
  await page.goto(`${kit.origin}/auth/sign-in`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(kit.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  kit.same(await kit.heading(page), "Your account");
}

async function look(page, context, kit, name) {
  await kit.shoot(page, context, name);
  await kit.accessible(page, context);
  await kit.fits(page);
}

export async function account(browser, context, kit) {
  const { same, demand } = kit;
  const email = await kit.addUser();
  const { page, trouble, close } = await kit.openPage(browser, context);
  await signIn(page, kit, email);
  await look(page, context, kit, "account");
  for (const [link, title] of [
    ["Change address", "Change your address"],
    ["Change password", "Change your password"],
    ["Delete account", "Delete your account"],
    ["All activity", "Recent activity"],
  ]) {
    await page.getByRole("link", { name: link }).click();
    same(await kit.heading(page), title);
    await look(page, context, kit, title.toLowerCase().replaceAll(" ", "-"));
    await page.getByRole("link", { name: "Back to your account" }).click();
  }

  await page.getByRole("link", { name: "Change name" }).click();
  await page.getByLabel("Name").fill("Ann Łęcka");
  await page.getByRole("button", { name: "Save" }).click();
  same(await page.getByRole("status").innerText(), "Your name is saved.");
  demand((await page.locator("main").innerText()).includes("Ann Łęcka"), "the name is there");
  await page.reload();
  same(await page.getByRole("status").count(), 0, "notices after a reload");

  await page.getByRole("link", { name: "Set up" }).click();
  await look(page, context, kit, "two-factor-off");
  await page.getByRole("button", { name: "Set it up" }).click();
  await look(page, context, kit, "two-factor-setup");
  const key = await page.locator(".key").innerText();
  const code = page.getByRole("textbox", { name: "Code" });
  await code.fill("000000");
  await page.getByRole("button", { name: "Turn on" }).click();
  same(await page.locator(".key").innerText(), key, "the key after a wrong code");
  same(await code.getAttribute("aria-invalid"), "true");
  await look(page, context, kit, "two-factor-wrong");
  await code.fill(codeOf(key));
  await page.getByRole("button", { name: "Turn on" }).click();
  same(await kit.heading(page), "Your recovery codes");
  await look(page, context, kit, "recovery-codes-once");
  const codes = await page.locator("#codes li").allInnerTexts();
  same(codes.length, 10, "how many codes");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
  same(readFileSync(await download.path(), "utf8"), `${codes.join("\n")}\n`, "the file");
  same(await page.getByRole("button", { name: "Copy" }).count(), context.javaScriptEnabled ? 1 : 0, "buttons that need a script");
  await page.getByRole("link", { name: "I have kept them" }).click();
  await look(page, context, kit, "account-two-factor");
  await page.goBack();
  same(await page.locator("#codes").count(), 0, "codes after going back");
  await look(page, context, kit, "recovery-codes");

  await page.goto(`${kit.origin}/auth/account/sessions`);
  await look(page, context, kit, "sessions");
  await page.goto(`${kit.origin}/auth/account/two-factor`);
  await look(page, context, kit, "two-factor-on");
  await page.getByLabel("Password").fill(kit.password);
  await page.getByText("Use a recovery code instead").click();
  await page.getByLabel("Recovery code").fill(codes[0]);
  await page.getByRole("button", { name: "Turn off" }).click();
  same(await page.getByRole("status").innerText(), "Two-factor sign-in is off.");
  same(trouble.filter((what) => !what.includes("data:")).join("; "), "", "what the browser complained of");
  await close();
}

// The longest address, a name that is written from right to left, and every language.
export async function longAccount(browser, kit) {
  const name = `${"מרים ".repeat(30)}שלום`;
  await kit.addUser(LONG, name);
  const context = { name: "narrow", viewport: { width: 320, height: 640 }, colorScheme: "light", javaScriptEnabled: true };
  const { page, close } = await kit.openPage(browser, context);
  await signIn(page, kit, LONG);
  for (const language of ["en", "de", "es", "fr", "zh-Hans"]) {
    await page.goto(`${kit.origin}/auth/account?lang=${language}`);
    await look(page, context, kit, `account-${language}`);
  }
  await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
  await kit.fits(page);
  await close();
}
