// Package pgtest starts a real server of PostgreSQL for tests: Debian's
// programs on a loopback port with data in a folder that goes with the test,
// as a user without rights. Nothing of it is in the product.
package pgtest
