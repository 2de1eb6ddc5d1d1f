const people = { ada: "tea", grace: "milk" };

// The login, in no accent at all: plain data in, plain data out.
// attempt is { method, user, pass }; the answer is { status, body }.
export function login(attempt) {
  return { status: 501, body: "not written yet" };
}
