// Distances in km along the ground, as the crow flies. The database stands in
// Amsterdam; `edge` is the nearest place that runs our code.
export const cities = [
  { city: "Amsterdam", edge: 10, data: 0 },
  { city: "Madrid", edge: 30, data: 1480 },
  { city: "Lagos", edge: 40, data: 5060 },
  { city: "Mumbai", edge: 50, data: 6870 },
  { city: "São Paulo", edge: 40, data: 9790 },
  { city: "Tokyo", edge: 30, data: 9300 },
  { city: "Lima", edge: 60, data: 10500 },
  { city: "Sydney", edge: 50, data: 16640 },
];
