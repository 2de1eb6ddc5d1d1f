// Package bus carries short messages between the servers of one site: that a
// project was saved, that a class's grid changed. Messages are ids; the
// database is the truth. A message may be lost when a server loses its
// connection, and then its subscribers are told that they may have missed some.
package bus
