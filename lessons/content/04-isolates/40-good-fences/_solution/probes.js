// Worker a and Worker b both run this file.
let note = null;

// Leaves a word in each of four places.
export async function plant(env) {
  globalThis.secret = "tea";
  Array.prototype.stolen = "milk";
  note = "sugar";
  await env.NOTES.put("secret", "lemon");
}

// Says what lies in the same four places; null is for an empty one.
export async function look(env) {
  return {
    global: globalThis.secret ?? null,
    prototype: [].stolen ?? null,
    module: note,
    kv: await env.NOTES.get("secret"),
  };
}
