function json(value, status = 200) {
  return Response.json(value, { status });
}

async function notesApi(request, env, id) {
  switch (request.method) {
    case "POST": {
      const body = await request.json().catch(() => null);
      if (typeof body?.text !== "string") return json({ error: "send { text }" }, 400);
      const note = { id: crypto.randomUUID(), text: body.text };
      await env.NOTES.put(note.id, JSON.stringify(note));
      return json(note, 201);
    }
    case "GET": {
      const note = id ? await env.NOTES.get(id, "json") : null;
      if (note) return json(note);
      break;
    }
    case "DELETE": {
      await env.NOTES.delete(id);
      return new Response(null, { status: 204 });
    }
  }
  return json({ error: "no such note" }, 404);
}

const patience = 300; // ms

async function weatherApi(env, city) {
  const late = new Promise((resolve) => setTimeout(resolve, patience, null));
  const answer = await Promise.race([env.WEATHER.fetch("https://weather.example/" + city), late]);
  if (answer === null) return json({ error: "the weather service is late" }, 504);
  if (!answer.ok) return json({ error: "the weather service failed" }, 502);
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
