const settings = (files, fail) => {
  try {
    return JSON.parse(files["pool.json"]);
  } catch (e) {
    fail("pool.json is not JSON; numbers need no quotation marks, and no comma stands before a closing bracket", "JSON", String(e.message));
  }
};
const rush = { seconds: 300, rate: [[0, 100], [60, 200], [120, 300], [180, 400], [240, 500]], patience: 2 };
const death = { seconds: 900, rate: [[0, 60]], patience: 2, kill: [100] };
const night = { seconds: 3600, rate: [[0, 20]] };
const percent = (x) => (x * 100).toFixed(1) + " %";

test("1: the rush", async ({ files, pool, fail, expect }) => {
  const p = settings(files, fail);
  const r = await pool(p, rush);
  expect(r.error_rate, `${percent(r.error_rate)} of the visitors gave up. Servers boot for 40 s, so begin to add them earlier: a lower target, and a max that allows it`).toBeLessThan(0.01);
  expect(r.peak, "The rush may use 8 servers, not more; lower max").toBeLessThanOrEqual(8);
});

test("2: a server dies", async ({ files, pool, fail, expect }) => {
  const p = settings(files, fail);
  const r = await pool(p, death);
  expect(r.left_after.length, "The dead server never left the rotation").toBe(1);
  expect(r.left_after[0], "The dead server should leave the rotation after two failed checks at the latest; see unhealthy_after").toBeLessThanOrEqual(2);
  expect(r.error_rate, `${percent(r.error_rate)} of the requests went to a dead server or out of patience; check more often, and have a second server there to take its visitors`).toBeLessThan(0.01);
});

test("3: the night", async ({ files, pool, fail, expect }) => {
  const p = settings(files, fail);
  const r = await pool(p, night);
  expect(r.server_hours, "One hour of the night should cost at most two server hours; lower min, or raise target if it wants more servers than min").toBeLessThanOrEqual(2.05);
  expect(r.errors, "Nobody should be lost at night").toBe(0);
});

test.guard("3: the page is still there", async ({ send, expect }) => {
  expect(await (await send("/health")).text(), "/health should answer ok").toBe("ok");
});
