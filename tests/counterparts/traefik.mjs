// Traefik's file, as far as it can be judged without Traefik, which no registry at hand has: its middlewares
// by the schemas of Traefik's own definitions for Kubernetes, and whether every name it uses is defined.

import { readFileSync } from "node:fs";
import { Middleware } from "@kubernetes-models/traefik/traefik.io/v1alpha1";
import YAML from "yaml";

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
  check(String(Object.keys(spec.forwardAuth)) === "address,authResponseHeaders", `${name} says what is known`);
  check(String(spec.forwardAuth.authResponseHeaders) === String(told), `${name} replaces all four headers`);
  check(new URL(spec.forwardAuth.address).pathname === "/api/auth/verify", `${name} asks authd`);
}
for (const [name, router] of Object.entries(routers)) {
  check(Object.hasOwn(services, router.service), `${name} leads to a service`);
  check((router.middlewares ?? []).every((used) => Object.hasOwn(middlewares, used)), `${name}'s middlewares are there`);
  if (name === "authd") continue;
  const [asks, forgets, ...others] = router.middlewares ?? [];
  check(Object.hasOwn(middlewares[asks] ?? {}, "forwardAuth"), `${name} is protected`);
  check(forgetsCookies(forgets) && others.length === 0, `${name}'s application gets no cookies, after authd did`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
