// Package hostile holds a corpus of Worker programs that attack the platform,
// and the test that runs each against a real `coldstart serve` over HTTP and
// WebSocket and then checks that nothing was harmed. The format is described
// in README.md.
package hostile
