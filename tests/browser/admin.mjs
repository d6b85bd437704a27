// The pages of administrators as they meet them: every one opened, a role, a key and an account made and taken
// away by their forms. pages.mjs runs it, with its own daemon and tools.

export async function admin(browser, context, kit) {
  const { origin, password, addUser, newAddress, openPage, heading, shoot, accessible, fits, same, demand } = kit;
  const root = await addUser(newAddress(), "Root", "--role", "admin");
  const { page, trouble, close } = await openPage(browser, context);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const follow = (name) => page.getByRole("link", { name, exact: true }).click();
  const said = () => page.getByRole("status").innerText();
  const look = async (name) => {
    await shoot(page, context, `admin-${name}`);
    await accessible(page, context);
    await fits(page);
  };

  await page.goto(`${origin}/auth/sign-in?return_to=/auth/admin/`);
  await page.getByLabel("E-mail address").fill(root);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await Promise.all([page.waitForURL("**/auth/admin/users"), page.keyboard.press("Enter")]);
  same(await heading(page), "Users");
  await look("users");
  for (const tab of ["Sessions", "Roles", "Applications", "API keys", "Audit log", "Mail", "Signing keys"]) {
    await follow(tab);
    same(await heading(page), tab);
    await look(tab.toLowerCase().replace(" ", "-"));
  }

  // Names are taken once in this database, and this runs once a context.
  const name = context.name;
  await page.goto(`${origin}/auth/admin/add-role`);
  await page.getByLabel("Name").fill("Not A Word");
  await press("Save");
  demand((await page.getByLabel("Name").getAttribute("aria-invalid")) === "true", "the field is marked");
  await look("role-mistake");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("users:read").check();
  await press("Save");
  same(await heading(page), name);
  same(await said(), "The role is there.");
  await page.reload();
  same(await page.getByRole("status").count(), 0, "said once");
  await follow("Delete the role");
  await look("sure");
  await press("Delete");
  same(await said(), "The role is gone.");

  await page.goto(`${origin}/auth/admin/add-api-key`);
  await look("add-key");
  await page.getByLabel("Name").fill(name);
  await press("Make the key");
  same(await heading(page), name);
  demand((await page.locator("#secret").innerText()).startsWith("authd_key_"), "the key is shown");
  await look("key");
  await page.reload();
  same(await page.locator("#secret").count(), 0, "keys shown after a reload");
  await follow("API keys");
  await page.goBack();
  same(await page.locator("#secret").count(), 0, "keys shown by going back");

  const email = newAddress();
  await page.goto(`${origin}/auth/admin/add-user`);
  await look("add-user");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Name").fill("יוסף בן־דוד");
  await press("Add user");
  same(await heading(page), email);
  await look("user");
  await follow("Delete the account");
  await press("Delete for good");
  same(await heading(page), "Users");
  same(await said(), "The account is gone.");
  same(trouble.join("; "), "", "what the browser complained of");
  await close();
}
