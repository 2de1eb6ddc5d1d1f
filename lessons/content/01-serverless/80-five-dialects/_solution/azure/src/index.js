import { app } from "@azure/functions";
import { login } from "../../shared/login.js";

// Azure puts functions below /api.
app.http("login", {
  methods: ["GET", "POST"],
  authLevel: "anonymous",
  handler: async (request, context) => {
    const { user, pass } = request.method === "POST" ? await request.json() : {};
    const { status, body } = login({ method: request.method, user, pass });
    return { status, body };
  },
});
