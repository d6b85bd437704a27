// Verifies an access token of authd offline, with go-jose. (From its version 4 on, give ParseSigned the
// algorithms as its second argument, and leave out the look at the header's.)
//
// Reads a token from stdin and prints its claims; exits with 1 and the reason if it is not good.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v3"
	"github.com/go-jose/go-jose/v3/jwt"
)

// What `tokens.algorithm` is, or was. Never take it from the token.
var algorithms = map[string]bool{"EdDSA": true, "ES256": true, "RS256": true}

// Claims are what this service needs of a token.
type Claims struct {
	jwt.Claims
	ClientID    string   `json:"client_id"`
	SessionID   string   `json:"sid"`
	Roles       []string `json:"roles"`
	Permissions []string `json:"permissions"`
}

func fetchKeys(uri string) (*jose.JSONWebKeySet, error) {
	// Keep the answer for five minutes in a program that runs on, and fetch it again for a key it lacks.
	answer, err := http.Get(uri)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	keys := new(jose.JSONWebKeySet)
	return keys, json.NewDecoder(answer.Body).Decode(keys)
}

func verify(raw string, keys *jose.JSONWebKeySet, issuer, audience string) (*Claims, error) {
	token, err := jwt.ParseSigned(raw)
	if err != nil {
		return nil, err
	}
	header := token.Headers[0]
	if header.ExtraHeaders["typ"] != "at+jwt" || !algorithms[header.Algorithm] {
		return nil, errors.New("this is no access token (RFC 9068)")
	}
	found := keys.Key(header.KeyID)
	if len(found) != 1 || found[0].Algorithm != header.Algorithm {
		return nil, errors.New("no key of the server has its kid and alg")
	}
	claims := new(Claims)
	if err := token.Claims(found[0].Key, claims); err != nil {
		return nil, err
	}
	if claims.Expiry == nil || claims.Subject == "" || claims.ID == "" || claims.ClientID == "" {
		return nil, errors.New("a claim is missing")
	}
	expected := jwt.Expected{Issuer: issuer, Audience: jwt.Audience{audience}, Time: time.Now()}
	return claims, claims.ValidateWithLeeway(expected, 0)
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func run() error {
	issuer := env("AUTHD_ISSUER", "http://127.0.0.1:8080")
	keys, err := fetchKeys(env("AUTHD_JWKS", issuer+"/.well-known/jwks.json"))
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	claims, err := verify(strings.TrimSpace(string(raw)), keys, issuer, env("AUTHD_AUDIENCE", "authd"))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(claims)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}
