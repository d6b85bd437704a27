// Signing in with OpenID providers as people do it, in Chromium, with scripts on and off: oidc-provider, which is
// certified, through its login and consent pages, and Canaille. Usage: node sign_in.mjs AUTHD FOLDER [FLOW], after
// tests/oidc/run, which sets OIDC_PYTHON to the Python that has it.

import { demand, heading, same, summary, test } from "../browser/harness.mjs";
import {
  acme,
  addUser,
  authctl,
  bolt,
  end,
  newPerson,
  oathtool,
  open,
  origin,
  shop,
  startCanaille,
  timePasses,
  verificationLink,
} from "./stage.mjs";

const WITH_SCRIPT = { name: "script", viewport: { width: 1280, height: 800 }, javaScriptEnabled: true };
const WITHOUT = { name: "noscript", viewport: { width: 360, height: 740 }, javaScriptEnabled: false };

const only = process.argv[4];

const IDENTITIES = "/auth/account/identities";
const NOT_HERE = "This sign-in did not begin in this browser";

const users = (email) => JSON.parse(authctl("user", "list", "-o", "json")).filter((user) => user.email === email);
const roles = (email) => JSON.parse(authctl("user", "show", email, "-o", "json")).roles.join(" ");

authctl("role", "add", "reader", "--permission", "wiki:read");
authctl("role", "add", "writer", "--permission", "wiki:write");

async function signUp(context) {
  const ann = newPerson();
  const at = await open(context);
  await at.goTo("/auth/sign-in");
  await at.look("sign-in");
  same(await at.signInWith("Acme", ann), "login consent", "what the provider asks first");
  await at.isIn(ann);
  await at.look("account");
  await at.goTo(IDENTITIES);
  demand((await at.main()).includes(ann.email), "the page names the account elsewhere");
  await at.look("identities");

  // It is the only way in: it stays.
  await at.press("Unlink");
  demand((await at.alert()).includes("no way to sign in"), "the last way in is refused in words");
  await at.look("last-way-in");

  await at.signOut();
  same(await at.signInWith("Acme", ann), "", "what the provider asks again");
  await at.isIn(ann);

  const other = await open(context);
  same(await other.signInWith("Acme", ann), "login consent", "what the provider asks in another browser");
  await other.isIn(ann);
  await other.close();

  // The address of the account is its own, whatever becomes of the provider's.
  acme.accounts.get(ann.name).email = `moved-${ann.email}`;
  await at.signOut();
  await at.signInWith("Acme", ann);
  await at.isIn(ann);
  await at.goTo(IDENTITIES);
  demand((await at.main()).includes(`moved-${ann.email}`), "the identity has the new address");
  same(users(ann.email).length, 1, "accounts of the address");

  // Keys go, and new ones come: once, since authd fetches unknown ones once a minute.
  if (context === WITH_SCRIPT) acme.rotate();
  await at.signOut();
  await at.signInWith("Acme", ann);
  await at.isIn(ann);

  await at.close();
}

async function deletion(context) {
  const ann = newPerson();
  const at = await open(context);
  await at.signInWith("Acme", ann);
  // The account goes after a fresh login there, for which the provider asks who it is however long it has known.
  timePasses();
  await at.goTo("/auth/account/delete");
  same(await heading(at.page), "Is it you?");
  await at.look("confirm");
  await at.follow("Sign in with Acme");
  await at.press("Cancel");
  same(await heading(at.page), "Is it you?");
  demand((await at.alert()).includes("or said no"), "it is said where it is asked");
  await at.look("confirm-refused");
  await at.follow("Sign in with Acme");
  demand((await at.pass(ann)).startsWith("login"), "the provider asks once more");
  same(await heading(at.page), "Delete your account");
  await at.look("delete");
  await at.press("Delete account for good");
  same(await at.status(), "Your account is deleted.");
  same(users(ann.email).length, 0, "accounts that are left");
  await at.close();
}

async function link(context) {
  const bob = newPerson();
  addUser(bob.email, "Bob");
  const at = await open(context);
  await at.signInWith("Bolt", bob);
  same(await heading(at.page), "Sign in");
  demand((await at.alert()).includes("link the other one"), "an address alone opens no account, and it is said");
  await at.look("link-required");

  await at.signInByPassword(bob);
  await at.follow("Manage");
  same(await heading(at.page), "Accounts elsewhere");
  await at.look("identities-none");
  // The page that leads on, before it does.
  const isBolt = (url) => url.origin === bolt.issuer;
  await at.page.route(isBolt, (route) => route.fulfill({ status: 204 }));
  await at.press("Bolt");
  same(await heading(at.page), "On to Bolt");
  await at.look("lead-on");
  await at.page.unroute(isBolt);
  await at.follow("Go on");
  await at.pass(bob);
  demand((await at.status()).includes("is linked"), "it is said");
  await at.look("identities-linked");

  // Linked to one, it links to nobody else.
  const eve = newPerson();
  addUser(eve.email);
  const other = await open(context);
  await other.signInByPassword(eve);
  await other.goTo(IDENTITIES);
  await other.press("Bolt");
  await other.pass(bob);
  demand((await other.alert()).includes("somebody else’s"), "it is somebody else's, in words");
  await other.look("identity-in-use");
  await other.close();

  await at.signOut();
  await at.signInWith("Bolt", bob);
  await at.isIn(bob);
  await at.goTo(IDENTITIES);
  await at.press("Unlink");
  demand((await at.status()).includes("not linked any more"), "it is said");
  await at.signOut();
  await at.signInWith("Bolt", bob);
  demand((await at.alert()).includes("link the other one"), "it signs in no more");
  // To link takes a fresh login: here, by the password.
  await at.signInByPassword(bob);
  timePasses();
  await at.goTo(IDENTITIES);
  await at.press("Bolt");
  same(await heading(at.page), "Is it you?");
  await at.look("confirm-password");
  await at.close();
}

async function attacks(context) {
  const ann = newPerson();
  const at = await open(context);
  const held = await at.holdCallback("Acme", ann);
  const asked = acme.exchanged();

  // Another browser's.
  const other = await open(context);
  await other.page.goto(held);
  demand((await other.alert()).includes(NOT_HERE), "another browser's callback is refused in words");
  await other.goTo("/auth/account");
  same(await heading(other.page), "Sign in");
  await other.close();

  // One provider's brought to the other's address.
  const askedBolt = bolt.exchanged();
  await at.page.goto(held.replace("/acme/", "/bolt/"));
  demand((await at.alert()).includes(NOT_HERE), "a mix-up is refused in words");
  await at.look("mismatch");
  same(bolt.exchanged(), askedBolt, "codes that Bolt was asked about");
  // One with another issuer's name on it.
  const forged = new URL(await at.holdCallback("Acme", ann));
  forged.searchParams.set("iss", bolt.issuer);
  await at.page.goto(forged.href);
  demand((await at.alert()).includes("did not answer as it should"), "another issuer's name is refused in words");
  same(acme.exchanged(), asked, "codes that Acme was asked about");

  // Its own counts once.
  const good = await at.holdCallback("Acme", ann);
  await at.page.goto(good);
  await at.isIn(ann);
  await at.signOut();
  await at.page.goto(good);
  demand((await at.alert()).includes(NOT_HERE), "a replayed callback is refused in words");
  same(acme.exchanged(), asked + 1, "codes that Acme was asked about");
  await at.close();
}

async function saysNo(context) {
  const ann = newPerson();
  const at = await open(context);
  await at.goTo("/auth/sign-in");
  await at.follow("Sign in with Acme");
  await at.press("Cancel");
  demand((await at.alert()).includes("or said no"), "no login, and it is said");
  await at.look("refused");
  await at.follow("Sign in with Acme");
  await at.page.getByLabel(/^Account/).fill(ann.name);
  await at.press("Log in");
  await at.press("Cancel");
  demand((await at.alert()).includes("or said no"), "no consent, and it is said");
  same(users(ann.email).length, 0, "accounts");
  await at.close();
}

async function unverified(context) {
  const bob = newPerson({ email_verified: false });
  const at = await open(context);
  await at.signInWith("Bolt", bob);
  same(await heading(at.page), "Sign in");
  demand((await at.main()).includes("mail"), "a mail is on its way, and it is said");
  await at.look("unverified");
  same(users(bob.email).length, 0, "accounts before the mail is opened");
  const first = await verificationLink(bob.email);
  await at.follow("Send me the mail to confirm my address again");
  await at.fill("E-mail address", bob.email);
  await at.press("Send the link");
  await at.page.goto(await verificationLink(bob.email, first));
  await at.look("unverified-mail");
  await at.press("Confirm address");
  same(await heading(at.page), "Address confirmed");
  await at.signInWith("Bolt", bob);
  await at.isIn(bob);
  await at.close();
}

async function noAddress(context) {
  const cid = newPerson({ email: undefined, email_verified: undefined });
  const at = await open(context);
  await at.signInWith("Acme", cid);
  same(await heading(at.page), "Your e-mail address");
  await at.look("complete");
  await at.page.locator("main form").evaluate((form) => (form.noValidate = true));
  await at.fill("E-mail address", "nobody");
  await at.press("Send mail");
  same(await at.page.getByLabel("E-mail address").getAttribute("aria-invalid"), "true", "the field is marked");
  await at.look("complete-mistake");
  await at.fill("E-mail address", cid.email);
  await at.press("Send mail");
  demand((await at.status()).startsWith("Nearly done"), "a mail is on its way");
  await at.page.goto(await verificationLink(cid.email));
  await at.press("Confirm address");
  same(await heading(at.page), "Address confirmed");
  await at.signInWith("Acme", cid);
  await at.isIn(cid);
  await at.close();
}

async function secondFactor(context) {
  const ann = newPerson();
  const at = await open(context);
  await at.signInWith("Acme", ann);
  await at.goTo("/auth/account/two-factor");
  await at.press("Set it up");
  const uri = await at.page.locator("a[href^='otpauth:']").getAttribute("href");
  const key = new URL(uri).searchParams.get("secret");
  await at.page.getByRole("textbox", { name: "Code" }).fill(oathtool(key));
  await at.press("Turn on");
  same(await heading(at.page), "Your recovery codes");
  await at.signOut();
  await at.signInWith("Acme", ann);
  same(await heading(at.page), "Second step");
  await at.goTo("/auth/account");
  same(await heading(at.page), "Second step", "what is shown before the code");
  await at.page.getByRole("textbox", { name: "Code" }).fill(oathtool(key, 30));
  await at.press("Sign in");
  await at.isIn(ann);
  await at.close();
}

async function groups(context) {
  const ann = newPerson({ groups: ["staff", "nobody"] });
  const at = await open(context);
  await at.signInWith("Acme", ann);
  await at.isIn(ann);
  same(roles(ann.email), "reader", "what her groups grant");
  authctl("role", "assign", ann.email, "writer");
  delete acme.accounts.get(ann.name).groups;
  await at.signOut();
  await at.signInWith("Acme", ann);
  same(roles(ann.email), "writer", "what is left without them");
  await at.close();
}

async function stopped(context) {
  const ann = newPerson();
  const at = await open(context);
  const held = await at.holdCallback("Bolt", ann);
  await bolt.stop();
  try {
    await at.page.goto(held);
    demand((await at.alert()).includes("did not answer as it should"), "it is said");
    await at.look("stopped");
  } finally {
    await bolt.start();
  }
  await at.follow("Sign in with Gone");
  demand((await at.alert()).includes("did not answer as it should"), "of one that never was, it is said, too");
  await at.signInWith("Bolt", ann);
  await at.isIn(ann);
  await at.close();
}

async function staysAndGoesOn() {
  const ann = newPerson();
  const at = await open(WITH_SCRIPT);
  await at.goTo(`/auth/sign-in?return_to=${encodeURIComponent("/auth/account/sessions")}`);
  await at.page.getByLabel("Stay signed in").check();
  await at.follow("Sign in with Acme");
  await at.pass(ann);
  same(new URL(at.page.url()).pathname, "/auth/account/sessions", "where she wanted to go");
  const lasting = (await at.page.context().cookies(origin)).filter((cookie) => cookie.expires > Date.now() / 1000 + 86_400);
  demand(lasting.some((cookie) => cookie.name.startsWith("__Host-authd")), "the session stays when the browser is closed");
  await at.close();
}

async function ownFrontEnd() {
  const ann = newPerson();
  const at = await open(WITH_SCRIPT);
  await at.page.goto(shop);
  await at.press("Sign in");
  await at.pass(ann);
  await at.page.getByRole("heading", { name: "Hello" }).waitFor();
  same(await heading(at.page), `Hello ${ann.email}, a second time: 400`);
  const stranger = await open(WITH_SCRIPT);
  await stranger.page.goto(shop);
  await stranger.press("Sign in");
  await stranger.press("Cancel");
  await stranger.page.getByRole("heading", { name: "provider_refused" }).waitFor();
  await stranger.close();
  await at.close();
}

// Canaille doesn't say that it has verified an address: a mail does.
async function byCanaille(cara, context) {
  const at = await open(context);
  const isNew = users(cara.email).length === 0;
  const press = () => at.page.locator("button[name=answer], button[type=submit]").first().click();
  await at.goTo("/auth/sign-in");
  await at.follow("Sign in with Canaille");
  await at.page.locator("input[name=login]").fill(cara.login);
  await press();
  await at.page.locator("input[name=password]").fill(cara.password);
  await press();
  if (!at.page.url().startsWith(origin)) await at.page.getByRole("button", { name: "Accept" }).click();
  if (isNew) {
    demand((await at.alert()).includes("the mail that you got"), "a mail is on its way, and it is said");
    await at.page.goto(await verificationLink(cara.email));
    await at.press("Confirm address");
    same(await heading(at.page), "Address confirmed");
    await at.goTo("/auth/sign-in");
    await at.follow("Sign in with Canaille");
  }
  await at.isIn(cara);
  await at.signOut();
  await at.follow("Sign in with Canaille");
  await at.isIn(cara);
  await at.close();
}

const flows = { signUp, deletion, link, attacks, saysNo, unverified, noAddress, secondFactor, groups, stopped };
const wanted = (name) => !only || name === only;
try {
  for (const context of [WITH_SCRIPT, WITHOUT]) {
    for (const [name, work] of Object.entries(flows)) {
      if (wanted(name)) await test(`${name}, ${context.name}`, () => work(context));
    }
  }
  if (wanted("staysAndGoesOn")) await test("stays signed in and goes on", staysAndGoesOn);
  if (wanted("ownFrontEnd")) await test("a front end of one's own", ownFrontEnd);
  const cara = wanted("byCanaille") && (await startCanaille());
  if (cara) {
    for (const context of [WITH_SCRIPT, WITHOUT]) await test(`Canaille, ${context.name}`, () => byCanaille(cara, context));
  }
} finally {
  await end();
}
summary();
