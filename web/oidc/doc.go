// Package oidc signs people in with a provider of OpenID Connect: the
// authorization code flow with PKCE (RFC 7636) and ID tokens signed with RS256
// or ES256 (OpenID Connect Core 1.0, sections 3.1 and 10.1), by go-oidc.
//
// It owns what is said to the provider and what is believed of its answers. It
// keeps no session and sets no cookie: the caller keeps a Request between its
// two halves. It asks the network only when somebody signs in.
package oidc
