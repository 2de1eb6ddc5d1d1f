// Package trace holds the plain types that every other package of the sandbox
// shares: events, limits, faults and the shape of a project. It imports nothing
// of the project, so that both sides of the process boundary, the store, the
// site and the browser's protocol can speak of a run in the same words.
//
// Times are integer microseconds since the run began unless a field says
// otherwise; sizes are bytes.
package trace
