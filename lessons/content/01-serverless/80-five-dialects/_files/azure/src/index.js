import { app } from "@azure/functions";

// Azure puts functions below /api.
app.http("login", {
  methods: ["GET", "POST"],
  authLevel: "anonymous",
  handler: async (request, context) => {
    return { body: "User logged in" };
  },
});
