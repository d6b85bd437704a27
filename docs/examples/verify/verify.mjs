// Verifies an access token of authd offline, with jose (`npm install jose`).
//
// Reads a token from stdin and prints its claims; exits with 1 and the reason if it is not good.

import { readFileSync } from "node:fs";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const ISSUER = process.env.AUTHD_ISSUER ?? "http://127.0.0.1:8080";
const AUDIENCE = process.env.AUTHD_AUDIENCE ?? "authd";

// One for the life of the program: it keeps the keys for five minutes, and asks again for one it doesn't know.
const keys = createRemoteJWKSet(new URL(process.env.AUTHD_JWKS ?? `${ISSUER}/.well-known/jwks.json`), {
  cacheMaxAge: 300_000,
});

/** The claims of a good token; throws a JOSEError for any other. */
export async function verify(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer: ISSUER,
    audience: AUDIENCE,
    typ: "at+jwt",
    // What `tokens.algorithm` is, or was. Never take it from the token.
    algorithms: ["EdDSA", "ES256", "RS256"],
    requiredClaims: ["sub", "client_id", "iat", "nbf", "exp", "jti"],
  });
  return payload;
}

try {
  console.log(JSON.stringify(await verify(readFileSync(0, "utf8").trim())));
} catch (error) {
  if (!(error instanceof errors.JOSEError)) throw error;
  console.error(`refused: ${error.message}`);
  process.exit(1);
}
