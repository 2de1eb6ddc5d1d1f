// Package classroom keeps what people make: workspaces, projects with their
// versions, deployments, runs, answers and progress, in one database; and who
// they are to each other: accounts, classes, members, notes and shared links.
//
// A write has happened when its method returns nil: it is committed to disk.
// The SQL is the subset that SQLite and PostgreSQL share (TEXT, BIGINT,
// BOOLEAN, times in milliseconds since 1970), so one Store serves on either. The package knows nothing of HTTP, lessons or isolates.
package classroom
