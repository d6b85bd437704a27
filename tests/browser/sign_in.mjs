// The pages on which people register and sign in, in Chromium: every state, that axe finds nothing and that they fit;
// and all of a person's way by keyboard alone. pages.mjs runs it, with its own daemon and tools.

export async function signIn(browser, context, kit) {
  const { origin, password, addUser, openPage, heading, shoot, accessible, fits, same, demand } = kit;
  const email = await addUser();
  const { page, trouble, close } = await openPage(browser, context);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const look = async (name) => {
    await shoot(page, context, name);
    await accessible(page, context);
    await fits(page);
  };
  await page.goto(`${origin}/auth/`);
  same(await heading(page), "Sign in");
  await look("sign-in");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill("not the password at all");
  await press("Sign in");
  same(await page.getByLabel("E-mail address").inputValue(), email, "what was typed");
  same(await page.getByLabel("Password").inputValue(), "", "the password");
  await look("sign-in-wrong");
  await page.getByRole("link", { name: "Register" }).click();
  await look("register");
  // Without the browser's own checks, as a program would send it.
  await page.locator("main form").evaluate((form) => (form.noValidate = true));
  await page.getByLabel("Name").fill("x".repeat(150));
  await page.getByLabel("E-mail address").fill("nobody");
  await page.getByLabel("Password").fill("short");
  await press("Create account");
  demand((await page.getByLabel("E-mail address").getAttribute("aria-invalid")) === "true", "the field is marked");
  await look("register-mistakes");
  await page.goto(`${origin}/auth/forgot-password`);
  await look("forgot-password");
  await page.getByLabel("E-mail address").fill(email);
  await press("Send the link");
  demand((await page.getByRole("status").innerText()).includes("on its way"), "it is said");
  await look("reset-sent");
  await page.goto(`${origin}/auth/sign-in`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await press("Sign in");
  same(await heading(page), "Your account");
  await page.goto(`${origin}/auth/sign-out`);
  await look("sign-out");
  await page.locator("main").getByRole("button").click();
  same(await page.getByRole("status").innerText(), "You are signed out.");
  await page.goBack();
  demand((await page.locator("main").innerText()).indexOf(email) < 0, "going back shows nothing of the account");
  await page.goto(`${origin}/auth/nothing-here`);
  await look("not-found");
  const odd = trouble.filter((what) => !/40[14]|422|Clear-Site-Data/.test(what));
  same(odd.join("; "), "", "what the browser complained of");
  await close();
}

// From registering to a deleted account with the keys Tab, Enter, Space and letters.
export async function byKeyboardAlone(browser, context, kit) {
  const { origin, password, openPage, heading, same, linkIn, newAddress } = kit;
  const { page, close } = await openPage(browser, context);
  const type = (text) => page.keyboard.type(text);
  // Goes on to what is called `name`, and looks that it shows where one is.
  const tabTo = async (name) => {
    for (let step = 0; step < 60; step += 1) {
      const found = await page.evaluate(() => {
        const at = document.activeElement;
        const label = at.labels?.[0]?.innerText ?? at.getAttribute("aria-label") ?? at.innerText ?? "";
        return { name: label.trim(), outline: getComputedStyle(at).outlineStyle };
      });
      if (found.name === name) {
        if (found.outline === "none") throw new Error(`${name} doesn't show that it has the focus`);
        return;
      }
      await page.keyboard.press("Tab");
    }
    throw new Error(`Tab never came to ${name}`);
  };
  const enter = async (title) => {
    await page.keyboard.press("Enter");
    await page.waitForFunction((wanted) => document.querySelector("h1")?.innerText === wanted, title);
  };

  const email = newAddress();
  await page.goto(`${origin}/auth/sign-in`);
  await tabTo("Register");
  await enter("Create an account");
  await tabTo("Name");
  await type("Ann");
  await tabTo("E-mail address");
  await type(email);
  await tabTo("Password");
  await type(password);
  await enter("Sign in");
  await page.goto(await linkIn(email, "verify_email"));
  await tabTo("Confirm address");
  await enter("Address confirmed");
  await page.goto(`${origin}/auth/sign-in`);
  await tabTo("E-mail address");
  await type(email);
  await tabTo("Password");
  await type(password);
  await tabTo("Stay signed in");
  await page.keyboard.press("Space");
  await tabTo("Sign in");
  await enter("Your account");
  await tabTo("Delete account");
  await enter("Delete your account");
  await tabTo("Password");
  await type(password);
  await tabTo("Delete account for good");
  await enter("Sign in");
  same(await page.getByRole("status").innerText(), "Your account is deleted.");
  await close();
}
