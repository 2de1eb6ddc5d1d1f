// Somebody else's service. It has good days and bad days, and notes of its own;
// leave it as it is.
const skies = { amsterdam: "rain", lagos: "sun", lima: "fog" };

export default {
  async fetch(request, env) {
    const [, city, key] = new URL(request.url).pathname.split("/");
    if (city === "notes") {
      const note = await env.NOTES.get(key);
      return note === null ? new Response("no such note", { status: 404 }) : new Response(note);
    }
    if (city === "atlantis") return new Response("our database is under water", { status: 500 });
    if (city === "snailtown") await new Promise((resolve) => setTimeout(resolve, 3000));
    const sky = skies[city] ?? "clouds";
    await env.NOTES.put(city, sky);
    return Response.json({ city, sky });
  },
};
