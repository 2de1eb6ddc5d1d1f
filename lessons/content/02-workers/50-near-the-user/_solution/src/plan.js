// One trip there and back over this many km, in ms.
export function roundTrip(km) {
  const speed = 200; // km a millisecond, light in glass
  const detour = 1.5; // cables do not fly like crows
  return (2 * km * detour) / speed;
}

// How long a visitor waits, in ms. place is "edge" or "central"; load is
// { calls, cached, writes }: reads from the database one after the other, the share of
// them (0 to 1) that the edge answers from its own cache, and writes after them.
export function wait(place, { edge, data }, { calls, cached, writes = 0 }) {
  if (place === "central") return roundTrip(data);
  return roundTrip(edge) + (calls * (1 - cached) + writes) * roundTrip(data);
}

// The place with the shorter wait; "edge" when they are equal.
export function choose(distances, load) {
  return wait("edge", distances, load) <= wait("central", distances, load) ? "edge" : "central";
}
