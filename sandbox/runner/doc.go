// Package runner is the process ring: the child processes in which learner
// input is built and run, the frames they speak with the parent, their
// supervision and their walls.
//
// The parent's half (Ring) starts children by executing the program itself
// again, watches them, kills those that do not yield and puts a spare in their
// place. The child's half (ChildMain) locks the process down and then holds the
// isolates. Neither half trusts the other's frames: every length, number and
// order is checked, and a child that breaks the protocol is killed.
//
// What a Worker may call, who runs next and what a run is about belong to the
// packages above.
package runner
