import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, ordinal, percentile, size, spoken } from "./_format.ts";

test("figures read as the design writes them", () => {
  const got = [38, 412, 10_610, 44_000_000 / 1000, 250_000, 2_400_000, 41_000_000, 600_000_000].map(duration);
  assert.deepEqual(got, ["38 µs", "412 µs", "10.61 ms", "44.00 ms", "250 ms", "2.40 s", "41 s", "10 min"]);
  assert.equal(spoken(38), "38 microseconds");
  assert.deepEqual([2, 380928, 33554432, 1536].map(size), ["2 B", "372 kB", "32 MB", "1.5 kB"]);
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 22, 111].map(ordinal), ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "111th"]);
});

test("percentiles by nearest rank", () => {
  const twenty = Array.from({ length: 20 }, (_, i) => i + 1);
  assert.equal(percentile(twenty, 0.5), 10);
  assert.equal(percentile(twenty, 0.99), 20);
  assert.equal(percentile([], 0.5), 0);
});
