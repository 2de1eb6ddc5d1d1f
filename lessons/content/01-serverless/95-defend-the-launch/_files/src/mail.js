// The mailer, as slow as the real one: greets a person and notes that it did.
export async function welcome(env, email) {
  await new Promise((done) => setTimeout(done, 400));
  await env.LIST.put("mailed/" + email, "");
}
