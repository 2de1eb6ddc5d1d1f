// Worker a and Worker b both run this file.
let note = null;

// Leaves "tea" in four places.
export async function plant(env) {
  globalThis.secret = "tea";
  Array.prototype.stolen = "tea";
  note = "tea";
  await env.NOTES.put("secret", "tea");
}

// Says what lies in the same four places; null is for an empty one.
export async function look(env) {
  return { global: null, prototype: null, module: null, kv: null };
}
