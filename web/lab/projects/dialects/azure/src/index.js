import { app } from "@azure/functions";
import { login } from "../../shared/login.js";
import { show } from "../../shared/show.js";

app.http("login", {
  methods: ["GET", "POST"],
  authLevel: "anonymous",
  handler: async (request, context) => {
    const { user, pass } = request.method === "POST" ? await request.json() : {};
    const { status, body } = login(request.method, user, pass);
    const back = { status, body };
    show({ request: { method: request.method, url: request.url, headers: Object.fromEntries(request.headers) }, context: { functionName: context.functionName, invocationId: context.invocationId } }, back);
    return back;
  },
});
