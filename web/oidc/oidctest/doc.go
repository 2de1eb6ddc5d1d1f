// Package oidctest is a provider of OpenID Connect on a loopback port, for
// tests: discovery, keys, codes with PKCE, and ID tokens that it really signs.
package oidctest
