// Somebody else's service. It has good days and bad days; leave it as it is.
const skies = { amsterdam: "rain", lagos: "sun", lima: "fog" };

export default {
  async fetch(request) {
    const city = new URL(request.url).pathname.slice(1);
    if (city === "atlantis") return new Response("our database is under water", { status: 500 });
    if (city === "snailtown") await new Promise((resolve) => setTimeout(resolve, 3000));
    return Response.json({ city, sky: skies[city] ?? "clouds" });
  },
};
