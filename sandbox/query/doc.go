// Package query holds learners' SQL databases, those of D1 and of Durable
// Objects, and runs their statements with SQLite.
//
// It is what a sql child works with. SQLite is C, translated, with memory that
// nothing checks: a statement that finds a mistake in it may own the process.
// So an Engine knows databases by numbers and bytes alone, and nothing of whose
// they are, where they are stored or who asks.
package query
