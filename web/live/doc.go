// Package live is the WebSocket session between a page and the site: runs and
// saves go up, events come down numbered, and a page that reconnects gets what
// it missed, in order, once. protocol.go and web/client/protocol.ts both test
// against testdata/*.json.
package live
