// Package live runs learners' projects and tells their pages. A Hub owns the
// runs, one numbered stream of messages for each project, and the WebSocket
// sessions that follow a stream; a page that reconnects gets what it missed,
// in order, once. A Deployer brings the saved revision of a project to the
// sandbox.
//
// protocol.go and web/client/protocol.ts both test against testdata/*.json.
package live
