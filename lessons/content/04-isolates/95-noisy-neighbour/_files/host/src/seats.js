// Who gets a seat in mb megabytes? line is what you measured: fixed is paid
// once, each for every tenant, in MB; a tenant's data comes on top. Answer the
// names of as many tenants as fit.
export function seats(tenants, mb, { fixed, each }) {
  return tenants.map((t) => t.name);
}
