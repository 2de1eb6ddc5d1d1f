const notes = new Map();

function json(value, status = 200) {
  return Response.json(value, { status });
}

async function notesApi(request, env, id) {
  if (request.method === "POST" && !id) {
    const { text } = await request.json();
    const note = { id: crypto.randomUUID(), text };
    notes.set(note.id, note);
    return json(note, 201);
  }
  if (request.method === "GET" && notes.has(id)) return json(notes.get(id));
  return json({ error: "no such note" }, 404);
}

async function weatherApi(env, city) {
  const answer = await env.WEATHER.fetch("https://weather.example/" + city);
  return json(await answer.json());
}

export default {
  async fetch(request, env) {
    const [, kind, rest] = new URL(request.url).pathname.split("/");
    if (kind === "notes") return notesApi(request, env, rest);
    if (kind === "weather") return weatherApi(env, rest);
    return json({ error: "not found" }, 404);
  },
};
