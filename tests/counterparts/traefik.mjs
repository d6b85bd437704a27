// A file of Traefik's, as far as it can be judged without Traefik, which no registry at hand has: its middlewares
// by the schemas of Traefik's own definitions for Kubernetes, and whether every name it uses is defined.

import { readFileSync } from "node:fs";
import { Middleware } from "@kubernetes-models/traefik/traefik.io/v1alpha1";
import YAML from "yaml";

// Applications on hosts of their own, or one on authd's.
const gate = process.argv[2].endsWith("gate/traefik/dynamic.yml");
const { routers, middlewares, services } = YAML.parse(readFileSync(process.argv[2], "utf8")).http;
const told = ["Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups"];
let passed = 0;
let failed = 0;

function check(condition, what) {
  if (condition) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED: ${what}`);
  }
}

// Go writes the flag into the expression, and "remote_user" as "Remote_user" before it is matched.
const forgets = (expression) => {
  const matches = new RegExp(expression.replace(/^\(\?i\)/, ""), expression.startsWith("(?i)") ? "i" : "");
  return told.every((name) => matches.test(name) && matches.test(name.replace("-", "_")));
};
const forgetsCookies = (name) => middlewares[name]?.headers?.customRequestHeaders?.Cookie === "";

for (const [name, spec] of Object.entries(middlewares)) {
  try {
    new Middleware({ metadata: { name }, spec }).validate();
    check(true);
  } catch (error) {
    check(false, `${name}: ${error.message}`);
  }
  // Everything else asks authd.
  if (forgetsCookies(name)) continue;
  // The schemas let names pass that they don't know.
  check(String(Object.keys(spec)) === "forwardAuth", `${name} is a forwardAuth`);
  const { address, authResponseHeaders, authResponseHeadersRegex, ...others } = spec.forwardAuth;
  check(Object.keys(others).length === 0, `${name} says what is known`);
  if (authResponseHeadersRegex) {
    check(forgets(authResponseHeadersRegex), `${name} replaces all headers, with underscores, too`);
  } else {
    check(String(authResponseHeaders) === String(told), `${name} replaces all four headers`);
  }
  const question = new URL(address);
  check(question.pathname === "/api/auth/verify", `${name} asks authd`);
  if (gate) check(question.search === `?app=${name}`, `${name} asks about the application of its name`);
}
for (const [name, router] of Object.entries(routers)) {
  check(Object.hasOwn(services, router.service), `${name} leads to a service`);
  check((router.middlewares ?? []).every((used) => Object.hasOwn(middlewares, used)), `${name}'s middlewares are there`);
  if (router.service === "authd") {
    const paths = gate ? ["Host(`auth.example.com`)", "PathPrefix(`/.authd/`)"] : [router.rule];
    check(paths.includes(router.rule) && !router.middlewares, `${name} leads authd's own to authd`);
    continue;
  }
  if (gate) {
    check(router.rule === `Host(\`${name}.example.com\`)` && router.service === name, `${name} is at its host`);
    check(router.middlewares?.[0] === name, `${name} asks about itself`);
  }
  const [asks, forgets, ...others] = router.middlewares ?? [];
  check(Object.hasOwn(middlewares[asks] ?? {}, "forwardAuth"), `${name} is protected`);
  check(forgetsCookies(forgets) && others.length === 0, `${name}'s application gets no cookies, after authd did`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
