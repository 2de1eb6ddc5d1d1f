// dots: what was measured, [{ copies: 1, mb: 31.2 }, { copies: 20, mb: … }, …]
// Work out what is paid once and what each further copy adds, in MB.
export function line(dots) {
  const first = dots[0];
  const last = dots[dots.length - 1];
  const each = (last.mb - first.mb) / (last.copies - first.copies);
  return { fixed: first.mb - first.copies * each, each };
}

// How many whole copies fit into mb megabytes?
export function copies(mb, { fixed, each }) {
  return Math.max(0, Math.floor((mb - fixed) / each));
}

// The same when every copy also holds data megabytes of its own.
export function copiesWithData(mb, { fixed, each }, data) {
  return copies(mb, { fixed, each: each + data });
}
