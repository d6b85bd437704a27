// Signing in by a mail alone, in Chromium: by its link in the browser that asked, by its code from another one.
// pages.mjs runs it, with its own daemon and tools.

export async function magicLink(browser, context, kit) {
  const { origin, addUser, openPage, heading, shoot, accessible, fits, same, demand, linkIn, codeIn } = kit;
  const email = await addUser();
  const { page, trouble, close } = await openPage(browser, context);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const look = async (at, name) => {
    await shoot(at, context, name);
    await accessible(at, context);
    await fits(at);
  };
  await page.goto(`${origin}/auth/sign-in`);
  await page.getByLabel("E-mail address").fill("nobody");
  await press("Email me a link");
  demand((await page.getByRole("alert").innerText()).includes("no"), "it is said");
  await look(page, "magic-no-address");
  await page.getByLabel("E-mail address").fill(email);
  await press("Email me a link");
  same(await heading(page), "Look into your mail");
  await look(page, "magic-sent");
  await page.getByLabel("Code").fill("0000 0000");
  await press("Sign in");
  demand((await page.getByLabel("Code").getAttribute("aria-invalid")) === "true", "the field is marked");
  await look(page, "magic-wrong");

  const link = await linkIn(email, "magic_link");
  const phone = await openPage(browser, context);
  await phone.page.goto(link);
  same(await heading(phone.page), "Code");
  demand((await phone.page.locator("main").innerText()).includes(codeIn(email)), "the code is shown elsewhere");
  same(await phone.page.getByRole("button").count(), 0, "what there is to press elsewhere");
  await look(phone.page, "magic-elsewhere");
  await phone.close();

  await page.goto(link);
  same(await heading(page), "Sign in");
  demand((await page.locator("main").innerText()).includes(email), "the page names the account");
  await look(page, "magic-here");
  await press("Sign in");
  same(await heading(page), "Your account");
  await page.goto(link);
  same(await heading(page), "This link doesn’t work any more");
  await close();

  const again = await openPage(browser, context);
  await again.page.goto(`${origin}/auth/sign-in`);
  await again.page.getByLabel("E-mail address").fill(email);
  await again.page.getByRole("button", { name: "Email me a link" }).click();
  same(await heading(again.page), "Look into your mail");
  // The mail is written in the background: the one before has been there for a while.
  for (const end = Date.now() + 10_000; Date.now() < end && link === (await linkIn(email, "magic_link")); );
  await again.page.getByLabel("Code").fill(codeIn(email));
  await Promise.all([again.page.waitForNavigation(), again.page.keyboard.press("Enter")]);
  same(await heading(again.page), "Your account");
  await again.close();
  same(trouble.filter((what) => !/40[01]|422/.test(what)).join("; "), "", "what the browser complained of");
}
