const people = { ada: "tea", grace: "milk" };

// The login itself: three plain values in, two plain values out.
export function login(method, user, pass) {
  if (method !== "POST") return { status: 405, body: "Use POST" };
  if (!Object.hasOwn(people, user) || people[user] !== pass) return { status: 401, body: "Wrong user or password" };
  return { status: 200, body: "User logged in" };
}
