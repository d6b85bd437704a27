// What pages do a little better where scripts run; they do all of it without, too.
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
