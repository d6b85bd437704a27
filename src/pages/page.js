// What pages do a little better where scripts run; they do all of it without, too, but for passkeys.
// Times in the zone of whoever reads them.
const { lang } = document.documentElement;
const own = navigator.languages.filter((tag) => tag.split("-")[0] === lang.split("-")[0]);
const format = new Intl.DateTimeFormat([...own, lang], { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = time.textContent;
  time.textContent = format.format(new Date(time.dateTime));
}

const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

const copy = document.querySelector("[data-copy]");
if (copy && navigator.clipboard) {
  const from = document.getElementById(copy.dataset.copy);
  const said = document.getElementById("copied");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const lines = Array.from(from.children, (line) => line.textContent);
    await navigator.clipboard.writeText(`${lines.join("\n")}\n`);
    said.textContent = said.dataset.text;
  });
}

// Secrets that are shown once don't come back from the browser's memory of pages.
if (document.querySelector("[data-once]")) {
  window.addEventListener("pagehide", () => document.querySelector("[data-once]")?.remove());
}

// Whoever wants to stay signed in wants it by every way in.
const remember = document.getElementById("remember");
for (const way of document.querySelectorAll("[data-way]")) {
  way.addEventListener("click", () => {
    const url = new URL(way.href);
    if (remember?.checked) url.searchParams.set("remember", "true");
    way.href = url;
  });
}

// Passkeys: each button has what the browser is to be asked, good for five minutes, and its form takes the answer.
const { PublicKeyCredential } = window;
const LIFE = 4.5 * 60_000;
const field = document.querySelector("input[autocomplete~=webauthn]");
const buttons = document.querySelectorAll(PublicKeyCredential?.parseRequestOptionsFromJSON ? "[data-ceremony]" : "none");
for (const button of buttons) {
  const { form, dataset } = button;
  const said = button.nextElementSibling;
  let { ceremony } = dataset;
  let options = JSON.parse(dataset.options);
  let until = Date.now() + LIFE;
  let waiting;
  const renew = async () => {
    // The page itself has another one where none is to be had without it.
    if (!dataset.again) await new Promise(() => location.assign(location.pathname + location.search));
    const answer = await fetch(dataset.again, { method: "POST" });
    ({ ceremony, publicKey: options } = await answer.json());
    until = Date.now() + LIFE;
  };
  const ask = async (mediation) => {
    waiting?.abort();
    waiting = new AbortController();
    const { signal } = waiting;
    if (Date.now() > until) await renew();
    const credential =
      "makes" in dataset
        ? await navigator.credentials.create({ signal, publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ signal, mediation, publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    const values = { ceremony, credential: JSON.stringify(credential) };
    if (remember?.checked) values.remember = "on";
    for (const [name, value] of Object.entries(values)) {
      const input = document.createElement("input");
      form.append(Object.assign(input, { type: "hidden", name, value }));
    }
    form.submit();
  };
  // The browser offers them where the address is typed; another request ends that one, and begins it anew.
  const offer = async () => {
    if (!field || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    await ask("conditional").catch(() => {});
  };
  field?.addEventListener("focus", () => Date.now() > until && offer());
  offer();
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    said.hidden = true;
    if (!form.reportValidity()) return;
    try {
      await ask();
    } catch (error) {
      if (error.name === "AbortError") return;
      said.textContent = error.name === "InvalidStateError" ? said.dataset.known : said.dataset.failed;
      said.hidden = false;
      offer();
    }
  });
  for (let part = button; part; part = part.parentElement) part.hidden = false;
}
for (const text of buttons.length ? document.querySelectorAll("[data-without]") : []) text.hidden = true;
