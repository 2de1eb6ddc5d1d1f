// What stands outside of the handler: a bucket that tells of uploads, and a
// sender of other messages, such as those about changed rows.
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    let message;
    if (url.pathname === "/upload") {
      const key = url.searchParams.get("key");
      const { size, etag } = await env.PHOTOS.put(key, request.body);
      message = { account: "lab", action: "PutObject", bucket: "lab-photos", object: { key, size, eTag: etag }, eventTime: new Date().toISOString() };
    } else {
      message = await request.json();
    }
    await env.EVENTS.send(message);
    return Response.json(message);
  },
};
