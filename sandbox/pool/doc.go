// Package pool models what serverless replaces: a group of servers behind a
// load balancer, with probes, boot times and a controller that decides how
// many there are. It is a discrete-event simulation: given the same arrivals
// it always plays the same way, and nothing in it reads a clock.
//
// Whoever shows its figures calls them modelled.
package pool
