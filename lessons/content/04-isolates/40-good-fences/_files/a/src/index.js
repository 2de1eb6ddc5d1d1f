// Tenant A leaves traces wherever it can.
globalThis.secret = "A was here";
Array.prototype.spy = () => "A listens";
let visits = 0;

export default {
  async fetch(request, env) {
    visits++;
    await env.KV.put("secret", "A's diary");
    console.log("A counted " + visits);
    return Response.json({ visits });
  },
};
