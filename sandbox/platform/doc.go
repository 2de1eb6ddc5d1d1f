// Package platform is what a cloud gives a Worker, on the parent's side of the
// process boundary: stored data behind bindings (KV, cache, queues, Durable
// Objects, D1, R2), the events that data causes (batches, alarms, crons),
// static assets and the route table. Everything is kept behind one Store.
//
// Callers are child processes that hold learners' code: arguments are checked
// as input from strangers, and a caller reaches only its own project's data.
package platform
