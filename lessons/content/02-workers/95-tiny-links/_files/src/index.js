export default {
  async fetch(request, env) {
    return Response.json({ error: "not written yet" }, { status: 501 });
  },

  async scheduled(controller, env) {
    // controller.scheduledTime is the hour that struck, in ms since 1970.
  },
};
