// Package sandbox is the door to the isolates: build a project, deploy it,
// invoke it, watch it, evict it. Plain data goes in and out; the processes that
// compile and run learner code are behind it.
package sandbox
