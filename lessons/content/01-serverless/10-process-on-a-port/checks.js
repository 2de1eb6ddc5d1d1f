const home = async (send) => (await send("GET /")).json();

test("1: alive", async ({ send, expect }) => {
  const r = await send("GET /health");
  expect(r.status, "GET /health should answer 200; does its path begin with a slash, and is the route above the one that takes everything?").toBe(200);
  expect(await r.text(), "GET /health should answer the text ok, nothing around it").toBe("ok");
});

test("1: watching is not visiting", async ({ send, expect }) => {
  await send("GET /health");
  const r = await send("GET /health");
  expect(r.status, "GET /health should answer each time").toBe(200);
  expect((await home(send)).visits, "Two health checks came before the first visitor; they should not be counted").toBe(1);
});

test.guard("1: what is unknown stays unknown", async ({ send, expect }) => {
  for (const path of ["/healthy", "/health/more", "/nothing"]) {
    expect((await send(path)).status, `${path} is no page of this shop; answer 404`).toBe(404);
  }
});

test("2: at home on 3001", async ({ send, expect }) => {
  const r = await send("GET /");
  expect(r.status, "Nobody answers; is PORT among the vars and made a number, since settings are texts, and do listen and httpServerHandler name the same port?").toBe(200);
  expect((await r.json()).port, "The server should listen on 3001").toBe(3001);
});

test("2: the number stands in the settings", async ({ files, fail }) => {
  const setting = /"PORT"\s*:\s*("?\d*"?)/.exec(files["wrangler.jsonc"] || "");
  if (!setting || !/^"?3001"?$/.test(setting[1])) fail("PORT belongs under vars in wrangler.jsonc: \"vars\": { \"PORT\": \"3001\" }", "\"PORT\": \"3001\"", setting ? setting[1] : "no PORT");
  const number = /\b300[01]\b/.exec(files["src/server.js"] || "");
  if (number) fail("src/server.js should take the port from process.env.PORT and name no number of its own", "process.env.PORT", number[0]);
});

test.guard("2: memory dies with the program", async ({ send, evict, box, note, expect }) => {
  const [first, second] = [await send("GET /"), await send("GET /")];
  expect((await second.json()).visits, "Within one life the visits add up").toBe(2);
  await evict();
  const reborn = await send("GET /");
  expect(reborn.trace.isolate, "After an eviction another isolate should answer").not.toBe(first.trace.isolate);
  expect((await reborn.json()).visits, "The new program counts from the beginning").toBe(1);
  const waiting = await box("process");
  if (waiting.available) {
    expect(waiting.each_mb, "A process that waits holds memory").toBeGreaterThan(0);
    note(`One more Node process that only waits holds ${waiting.each_mb.toFixed(1)} MB on this server.`);
  } else {
    note(`A real process was not measured here: ${waiting.why}.`);
  }
});

test.guard("2: the process in your lab", async ({ lab, note, expect }) => {
  const { available, why, samples } = await lab("process");
  const steps = available && Array.isArray(samples) ? samples : [];
  let before = 0;
  let told = "";
  steps.forEach(({ do: what, pid, answer }, i) => {
    const last = i > 0 ? steps[i - 1].do : "";
    if (what === "start") {
      expect(pid === before, "A process that is started again should have another number").toBe(false);
      before = pid;
    }
    const idle = last === "start" && answer === "connection refused"; // the lab ends a server that nobody asks
    if (what !== "request" || last === "" || last === "request" || idle) return;
    expect(answer, last === "kill" ? "Once the process is gone, nobody should have its port" : "A process that was just started should count from the beginning").toBe(last === "kill" ? "connection refused" : "visit 1");
    told += `, after the ${last} "${answer}"`;
  });
  note(told ? `Your process in the lab${told}.` : `A killed process: ${available ? "none yet" : why}. Start one in the lab, kill it and knock to have it looked at, too.`);
});
