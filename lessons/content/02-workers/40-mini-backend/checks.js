// weather asks again when a busy machine needed more than the 300 ms that the answer may take.
async function weather(send, city) {
  let r;
  for (let i = 0; i < 4 && (!r || r.status === 504); i++) r = await send("/weather/" + city);
  return r;
}
const post = (send, text) => send("POST /notes", { json: { text } });

test("1: a note survives its isolate", async ({ send, evict, expect }) => {
  const made = await post(send, "buy milk");
  expect(made.status, "A new note is answered with status 201").toBe(201);
  const note = await made.json();
  expect(note.text, "The answer to POST is the note, with its text").toBe("buy milk");
  await evict();
  const found = await send(`GET /notes/${note.id}`);
  expect(found.status, "The note is gone with its isolate; keep it in env.NOTES, not in a variable").toBe(200);
  expect(await found.json(), "GET gives back the same note that POST answered, as JSON; await env.NOTES.get(id, \"json\"), which reads what JSON.stringify wrote").toEqual(note);
});

test("1: a deleted note is gone", async ({ send, expect }) => {
  const note = await (await post(send, "old")).json();
  const other = await (await post(send, "kept")).json();
  expect((await send(`DELETE /notes/${note.id}`)).status, "DELETE answers 204, without a body").toBe(204);
  expect((await send(`GET /notes/${note.id}`)).status, "A deleted note is a 404").toBe(404);
  expect((await send(`GET /notes/${other.id}`)).status, "Only the named note is deleted").toBe(200);
});

test("1: a note needs a text", async ({ send, expect }) => {
  expect((await send("POST /notes", { json: { title: "x" } })).status, "A body without text is the caller's mistake: 400").toBe(400);
  expect((await send("POST /notes", { body: "not json" })).status, "A body that is not JSON is the caller's mistake too: 400, not an exception").toBe(400);
});

test("1: two Workers, two stores", async ({ send, evict, expect }) => {
  const note = await (await post(send, "only mine")).json();
  await weather(send, "lima");
  await evict();
  expect((await send(`GET /notes/${note.id}`)).status, "The note is gone with its isolate; keep it in env.NOTES, not in a variable").toBe(200);
  expect((await send(`GET /notes/${note.id}`, { worker: "weather" })).status, "The weather service finds your note in its own env.NOTES: both wrangler.jsonc now name one store. Give each an id of its own").toBe(404);
  expect((await send("GET /notes/lima", { worker: "weather" })).status, "The weather service kept what it saw over Lima, in a store of its own; leave its wrangler.jsonc as it was, and ask it through env.WEATHER").toBe(200);
  expect((await send("GET /notes/lima")).status, "What the weather service keeps is not to be had from your Worker; a store belongs to its id, whatever the binding is called").toBe(404);
});

test.guard("1: unknown notes and addresses", async ({ send, expect }) => {
  expect((await send("GET /notes/nobody")).status, "An unknown id is a 404").toBe(404);
  expect((await send("GET /elsewhere")).status, "An unknown address is a 404").toBe(404);
});

test.guard("2: good weather", async ({ send, expect }) => {
  const r = await weather(send, "amsterdam");
  expect(r.status, "Amsterdam's weather is known").toBe(200);
  expect(await r.json(), "Pass the service's answer on").toEqual({ city: "amsterdam", sky: "rain" });
});

test("2: the service fails", async ({ send, expect }) => {
  const r = await weather(send, "atlantis");
  expect(r.status, "When the service behind you fails, the answer is 502; look at the answer's ok before you read it").toBe(502);
  expect(r.trace.calls.length, "Whether the service fails, only the service knows; ask env.WEATHER for every city, tomorrow it may be another one that fails").toBeGreaterThan(0);
  expect(typeof (await r.json()).error, "Say in JSON what happened: { error: \"…\" }").toBe("string");
});

test("2: the service is late", async ({ send, expect }) => {
  const r = await send("/weather/snailtown");
  expect(r.status, "After 300 ms give up and answer 504; race the call against a timer, or catch what an aborted fetch throws").toBe(504);
  expect(typeof (await r.json()).error, "Say in JSON what happened: { error: \"…\" }").toBe("string");
  expect(r.trace.ms, "Give the service its 300 ms before you give up; which city is late today, nobody knows beforehand").toBeGreaterThan(200);
  expect(r.trace.ms, "The answer should not wait for the three seconds to pass").toBeLessThan(2500);
});
