// What a provider that never answers costs everybody else: the p99 of GET /me alone, beside 50 people who sign in
// with a provider that says no at once, and beside 50 for whom it never answers. A measurement and no test: it prints
// the ratios. Usage: node hang.mjs AUTHD FOLDER, after tests/oidc/run.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PASSWORD, authd, demand, environment, freePort, same, startDaemon } from "../browser/harness.mjs";

const WAITING = 50;
const REQUESTS = 5_000;
const AT_ONCE = 4;
const ROUNDS = 3;

// Its metadata can be had; whoever brings a code waits, or is told no.
let hangs = false;
const port = await freePort();
const issuer = `http://127.0.0.2:${port}`;
let hung = 0;
const provider = createServer((req, res) => {
  if (req.method === "POST" && !hangs) {
    res.writeHead(400, { "content-type": "application/json" });
    res.end('{"error":"invalid_grant"}');
    return;
  }
  if (req.method === "POST") {
    hung += 1;
    res.on("close", () => (hung -= 1));
    return;
  }
  res.setHeader("content-type", "application/json");
  res.end(
    JSON.stringify({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    }),
  );
});
await new Promise((done) => provider.listen(port, "127.0.0.2", done));

const home = mkdtempSync(join(tmpdir(), "authd-hang-"));
const own = await freePort();
const origin = `http://127.0.0.1:${own}`;
writeFileSync(
  join(home, "authd.toml"),
  `public_url = "${origin}"\n[oauth.acme]\nkind = "oidc"\nclient_id = "authd"\nissuer = "${issuer}"\nallow_private = true\n`,
);
const env = environment(home, own, {});
const daemon = await startDaemon(env, home);

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const ask = (path, headers, agent) =>
  new Promise((done, fail) => {
    get(origin + path, { headers, agent }, (res) => {
      res.resume();
      res.on("end", () => done(res));
    }).on("error", fail);
  });

// The slowest of the quickest 99 %, in milliseconds.
async function p99(authorization) {
  const took = [];
  const one = async () => {
    while (took.length < REQUESTS) {
      const begun = performance.now();
      const { statusCode } = await ask("/api/auth/me", { authorization }, agent);
      took.push(performance.now() - begun);
      same(statusCode, 200, "the status of /me");
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return took.sort((a, b) => a - b)[Math.floor(took.length * 0.99)];
}

// People who sign in, each once a second or once they are let go, until `stop` is called.
function signInForEver() {
  let goesOn = true;
  async function one() {
    while (goesOn) {
      const { headers } = await ask("/api/auth/oauth/acme/start");
      const state = new URL(headers.location).searchParams.get("state");
      const cookie = headers["set-cookie"].map((cookie) => cookie.split(";")[0]).join("; ");
      const { statusCode } = await ask(`/api/auth/oauth/acme/callback?code=x&state=${state}`, { cookie });
      same(statusCode, 303, "the status of the callback");
      await new Promise((done) => setTimeout(done, 1_000));
    }
  }
  const all = Promise.all(Array.from({ length: WAITING }, one));
  return {
    // One that fails fails the measurement.
    beside: (work) => Promise.race([work, all.then(() => work)]),
    stop: () => {
      goesOn = false;
      return all;
    },
  };
}

const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
async function waits() {
  for (const end = Date.now() + 10_000; hung === 0 && Date.now() < end; ) await new Promise((done) => setTimeout(done, 20));
  demand(hung > 0, "sign-ins wait for the provider");
}

try {
  const added = ["user", "add", "ann@example.com", "--verified", "--password-stdin"];
  execFileSync(authd, added, { env, cwd: home, input: PASSWORD, stdio: ["pipe", "ignore", "ignore"] });
  const body = JSON.stringify({ email: "ann@example.com", password: PASSWORD });
  const json = { "content-type": "application/json" };
  const login = await fetch(`${origin}/api/auth/login`, { method: "POST", headers: json, body });
  const bearer = `Bearer ${(await login.json()).access_token}`;
  await p99(bearer); // warms up
  const [alone, refused, hanging] = [[], [], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(await p99(bearer));
    for (const found of [refused, hanging]) {
      hangs = found === hanging;
      const people = signInForEver();
      if (hangs) await people.beside(waits());
      found.push(await people.beside(p99(bearer)));
      // Those who wait are let go.
      hangs = false;
      provider.closeAllConnections();
      await people.stop();
    }
  }
  const least = median(alone);
  const tell = (what, found) => console.log(`${what}: ${median(found).toFixed(2)} ms, ${(median(found) / least).toFixed(2)} times`);
  console.log(`p99 of GET /me, median of ${ROUNDS} rounds`);
  tell("alone", alone);
  tell(`beside ${WAITING} who sign in and are told no at once`, refused);
  tell(`beside ${WAITING} who sign in and get no answer`, hanging);
} finally {
  daemon.kill("SIGKILL");
  provider.closeAllConnections();
  provider.close();
  agent.destroy();
  rmSync(home, { recursive: true });
}
process.exit();
