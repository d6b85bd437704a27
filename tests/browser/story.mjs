// One person's story, from an empty folder to a deleted account, with real parts: the QR code is read by zbarimg, the
// codes come from oathtool, the mails from authctl, and an application on another host stands behind a small proxy that
// asks authd about every request. pages.mjs runs it, with its own daemon and tools.

import { execFileSync } from "node:child_process";
import { createServer, request as ask } from "node:http";
import { join } from "node:path";

// What Caddy's forward_auth does, in short: /.authd/ goes to authd, everything else is asked about. One host, one
// application, which greets whoever authd says it is.
export function guarded(origin, host) {
  const { port } = new URL(origin);
  const toAuthd = (method, path, headers, body, then) => {
    const up = ask({ port, method, path, headers: { ...headers, "x-forwarded-host": host(), "x-forwarded-proto": "http" } }, then);
    up.end(body);
  };
  const pass = (from, to) => {
    to.writeHead(from.statusCode, from.headers);
    from.pipe(to);
  };
  return createServer((req, res) => {
    const sent = [];
    req.on("data", (part) => sent.push(part));
    req.on("end", () => {
      const body = Buffer.concat(sent);
      if (req.url.startsWith("/.authd/")) return toAuthd(req.method, req.url, req.headers, body, (answer) => pass(answer, res));
      const { "content-length": _, "transfer-encoding": __, ...headers } = req.headers;
      const asked = { ...headers, "x-forwarded-method": req.method, "x-forwarded-uri": req.url };
      toAuthd("GET", "/api/auth/verify", asked, undefined, (answer) => {
        if (answer.statusCode !== 200) return pass(answer, res);
        const { "remote-email": email, "remote-groups": groups } = answer.headers;
        res.writeHead(200, { "content-type": "text/html" });
        res.end(`<!doctype html><title>Wiki</title><h1>Wiki</h1><p>${email}, ${groups || "no role"}, at ${req.url.split("?")[0]}</p>`);
      });
    });
  });
}

export async function story(browser, kit) {
  const { origin, password, openPage, heading, same, demand, authctl, linkIn, addUser, newAddress, shots } = kit;
  // A step ahead there is another code, which counts already: clocks differ.
  const oathtool = (key, ahead = 0) =>
    execFileSync("oathtool", ["--totp", "--base32", "--now", `+${ahead} seconds`, key], { encoding: "utf8" }).trim();
  const context = { name: "story", viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true };
  const { page, close } = await openPage(browser, context);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const follow = (name) => page.getByRole("link", { name, exact: true }).click();
  const fill = (label, text) => page.getByLabel(label, { exact: true }).fill(text);
  const said = () => page.getByRole("status").innerText();
  const signIn = async () => {
    await fill("E-mail address", email);
    await fill("Password", password);
    await press("Sign in");
  };

  // Register, confirm the address, sign in.
  const email = newAddress();
  await page.goto(`${origin}/auth/`);
  same(await heading(page), "Sign in");
  await follow("Register");
  await fill("Name", "Ann Example");
  await fill("E-mail address", email);
  await fill("Password", password);
  await press("Create account");
  demand((await said()).startsWith("Nearly done"), "a mail is on its way");
  await signIn();
  demand((await page.getByRole("alert").innerText()).includes("not been confirmed"), "nobody is in before that");
  await page.goto(await linkIn(email, "verify_email"));
  await press("Confirm address");
  same(await heading(page), "Address confirmed");
  await page.goto(`${origin}/auth/sign-in`);
  await signIn();
  same(await heading(page), "Your account");

  // Turn on the second factor: the QR code is what a phone sees.
  await follow("Set up");
  await press("Set it up");
  const picture = join(shots, "story-qr.png");
  await page.locator(".qr").screenshot({ path: picture });
  const uri = execFileSync("zbarimg", ["--quiet", "--raw", picture], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  const key = new URL(uri).searchParams.get("secret");
  same(uri.split("?")[0].split(":")[0], "otpauth", "what the QR code holds");
  await page.getByRole("textbox", { name: "Code" }).fill(oathtool(key));
  await press("Turn on");
  same(await heading(page), "Your recovery codes");
  const [first] = await page.locator("#codes li").allInnerTexts();
  await follow("I have kept them");

  // The phone is lost: back in with a recovery code.
  await press("Sign out");
  await signIn();
  same(await heading(page), "Second step");
  await follow("Use a recovery code instead");
  await fill("Recovery code", first);
  await press("Sign in");
  same(await heading(page), "Your account");

  // An application on another host, which asks for a role.
  let port = 0;
  const wiki = guarded(origin, () => `wiki.localhost:${port}`);
  await new Promise((done) => wiki.listen(0, "127.0.0.1", done));
  ({ port } = wiki.address());
  const url = `http://wiki.localhost:${port}`;
  authctl("role", "add", "reader", "--permission", "wiki:read");
  authctl("app", "add", "wiki", "--url", url, "--allow-role", "reader");
  try {
    await page.goto(`${url}/page?x=1`);
    same(await heading(page), "Not for this account");

    // An admin gives her the role, on the admin pages.
    const admin = await addUser(newAddress(), "Root", "--role", "admin");
    const office = await openPage(browser, { ...context, name: "story-admin" });
    await office.page.goto(`${origin}/auth/sign-in?return_to=/auth/admin/users`);
    await office.page.getByLabel("E-mail address").fill(admin);
    await office.page.getByLabel("Password", { exact: true }).fill(password);
    await office.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await office.page.getByLabel("Address or name").fill(email);
    await office.page.getByRole("button", { name: "Search", exact: true }).click();
    await office.page.getByRole("link", { name: new RegExp(email.replaceAll(".", "\\.")) }).click();
    await office.page.getByRole("link", { name: "Change roles" }).click();
    await office.page.getByLabel("reader").check();
    await office.page.getByRole("button", { name: "Save", exact: true }).click();
    demand((await office.page.locator("main").innerText()).includes("reader"), "the role is hers");
    await office.close();

    await page.goto(`${url}/page?x=1`);
    same(await page.locator("p").innerText(), `${email}, reader, at /page`);
    same(new URL(page.url()).search, "?x=1", "the query of the page that she wanted");

    // Thrown out, and let in again.
    authctl("user", "disable", email);
    await page.goto(`${url}/page`);
    same(new URL(page.url()).origin, origin, "where she is after that");
    same(await heading(page), "Sign in");
    authctl("user", "enable", email);
    await signIn();
    same(await heading(page), "Second step");
    await page.getByRole("textbox", { name: "Code" }).fill(oathtool(key, 30));
    await press("Sign in");
    same(await page.locator("p").innerText(), `${email}, reader, at /page`, "the page, once she is in again");
  } finally {
    wiki.close();
  }

  // The account goes.
  await page.goto(`${origin}/auth/account/delete`);
  await fill("Password", password);
  await press("Delete account for good");
  same(await heading(page), "Sign in");
  await signIn();
  demand((await page.getByRole("alert").innerText()).includes("don’t match"), "there is no such account any more");
  await close();
}
