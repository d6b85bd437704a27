// A certified OpenID provider (npm's oidc-provider) on loopback, with login and consent pages of its own. It demands
// PKCE and names itself in what it sends back (RFC 9207). Each stands at an address of its own, 127.0.0.2 and so on:
// ports don't part the cookies of browsers.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { folder } from "../browser/harness.mjs";

const require = createRequire(join(folder, "package.json"));
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const escaped = (text) => text.replaceAll(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const page = (title, what) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><h1>${title}</h1>${what}`;

const form = (uid, step, fields, yes) =>
  `<form method="post" action="/interaction/${uid}/${step}">${fields}<button>${yes}</button></form>
<form method="post" action="/interaction/${uid}/abort"><button>Cancel</button></form>`;

function signingKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: randomBytes(8).toString("hex"), use: "sig", alg: "ES256" };
}

// `slim`: the ID token says who it is and no more, as the standard has it; the rest comes from userinfo.
export async function startProvider({ name, host, port, client, secret, callback, slim = false }) {
  const issuer = `http://${host}:${port}`;
  const accounts = new Map();
  let exchanged = 0;
  let held = null;
  const configure = () => {
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: client,
          client_secret: secret,
          redirect_uris: [callback],
          grant_types: ["authorization_code"],
          id_token_signed_response_alg: "ES256",
        },
      ],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
      conformIdTokenClaims: slim,
      cookies: { keys: [randomBytes(16).toString("hex")] },
      features: { devInteractions: { enabled: false } },
      findAccount: (_, id) => accounts.has(id) && { accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      jwks: { keys: [signingKey()] },
      pkce: { required: () => true },
      ttl: { Session: 3600, Grant: 3600, Interaction: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
    });
    return { provider, answer: provider.callback() };
  };
  let current = configure();

  async function interact(req, res) {
    const { provider } = current;
    const [, , uid, step] = req.url.split("/");
    const { prompt, params, session } = await provider.interactionDetails(req, res);
    if (req.method === "GET") {
      res.setHeader("content-type", "text/html");
      const field = `<p><label>Account at ${escaped(name)} <input name="account" required></label></p>`;
      const asked = `<p>${escaped(params.client_id)} wants to know: ${escaped(params.scope)}</p>`;
      const login = prompt.name === "login";
      res.end(page(`${login ? "Log in to" : "Allow"} ${escaped(name)}`, login ? form(uid, "login", field, "Log in") : form(uid, "allow", asked, "Allow")));
      return;
    }
    let body = "";
    for await (const part of req) body += part;
    if (step === "abort") {
      const said = { error: "access_denied", error_description: "The person said no." };
      return provider.interactionFinished(req, res, said);
    }
    if (step === "login") {
      const accountId = new URLSearchParams(body).get("account");
      return provider.interactionFinished(req, res, { login: { accountId, amr: ["pwd"] } });
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }

  const server = createServer((req, res) => {
    if (req.url === "/token") exchanged += 1;
    if (req.url === "/held") return res.end(page("Held", ""));
    const setHeader = res.setHeader.bind(res);
    res.setHeader = (name, value) => {
      const holds = held && name.toLowerCase() === "location" && value.startsWith(callback);
      if (holds) held.push(value);
      return setHeader(name, holds ? "/held" : value);
    };
    if (!req.url.startsWith("/interaction/")) return current.answer(req, res);
    interact(req, res).catch((error) => {
      res.statusCode = 500;
      res.end(String(error));
    });
  });
  const start = () => new Promise((done) => server.listen(port, host, done));
  await start();
  return {
    issuer,
    accounts,
    // How many codes it was asked about.
    exchanged: () => exchanged,
    start,
    // Until it is let go, nobody is sent back to authd: gives the addresses that they would have come to.
    hold: () => (held = []),
    letGo: () => (held = null),
    // From now on it signs with another key, and publishes that alone.
    rotate: () => (current = configure()),
    stop: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}
