// dots: what was measured, [{ copies: 1, mb: 31.2 }, { copies: 20, mb: … }, …]
// Work out what is paid once and what each further copy adds, in MB.
export function line(dots) {
  return { fixed: 0, each: 0 };
}

// How many whole copies fit into mb megabytes?
export function copies(mb, { fixed, each }) {
  return 0;
}

// The same when every copy also holds data megabytes of its own.
export function copiesWithData(mb, { fixed, each }, data) {
  return 0;
}
