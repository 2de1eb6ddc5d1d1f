// Who gets a seat in mb megabytes? line is what you measured: fixed is paid
// once, each for every tenant, in MB; a tenant's data comes on top. Answer the
// names of as many tenants as fit.
export function seats(tenants, mb, { fixed, each }) {
  const seated = [];
  let left = mb - fixed;
  for (const t of [...tenants].sort((a, b) => a.data_mb - b.data_mb)) {
    left -= each + t.data_mb;
    if (left < 0) break;
    seated.push(t.name);
  }
  return seated;
}
