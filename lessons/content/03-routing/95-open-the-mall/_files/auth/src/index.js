// Knows tokens. Answers 204 to a good one and 401 to any other.
const people = { "Bearer tea": "Ada", "Bearer milk": "Grace" };

export default {
  async fetch(request) {
    const person = people[request.headers.get("authorization")];
    if (!person) return new Response("who are you?", { status: 401 });
    return new Response(null, { status: 204, headers: { "x-person": person } });
  },
};
