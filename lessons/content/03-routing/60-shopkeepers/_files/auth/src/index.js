// Knows tokens. Answers 204 to a good one, 403 to one that was taken away, and
// 401 to any other.
const people = { "Bearer tea": "Ada", "Bearer milk": "Grace" };
const taken = ["Bearer rum"];

export default {
  async fetch(request) {
    const token = request.headers.get("authorization");
    if (taken.includes(token)) return new Response("not any more", { status: 403 });
    const person = people[token];
    if (!person) return new Response("who are you?", { status: 401 });
    return new Response(null, { status: 204, headers: { "x-person": person } });
  },
};
