// Package check runs a lesson's checks.js against a learner's project and
// reports what it finds, test by test. The script runs on goja in a run child;
// what it asks of the host (send, measure, evict, …) is answered here through
// the sandbox's door, each test with isolates and storage of its own.
//
// The same code says what the learner sees, what the grade is, and what
// `coldstart lint` reports about a lesson's own starter and solution.
package check
