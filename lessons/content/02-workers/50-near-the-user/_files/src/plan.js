// One trip there and back over this many km, in ms.
export function roundTrip(km) {
  return 0;
}

// How long a visitor waits, in ms. place is "edge" or "central"; load is
// { calls, cached, writes }: reads from the database one after the other, the share of
// them (0 to 1) that the edge answers from its own cache, and writes after them.
export function wait(place, { edge, data }, { calls, cached, writes = 0 }) {
  return 0;
}

// The place with the shorter wait; "edge" when they are equal.
export function choose(distances, load) {
  return "edge";
}
