import { Router } from "./router.js";

const router = new Router();
const text = (value, status = 200) => new Response(value, { status });

router.get("/", () => text("home"));
router.get("/users/:id", ({ params }) => text(params.id));
router.get("/users/me", () => text("it is you"));
router.get("/shops/best", () => text("the best shop"));
router.get("/shops/:id", ({ params }) => text("shop " + params.id));
router.post("/shops/:id", ({ params }) => text("bought at " + params.id, 201));
router.get("/shops/:id/items/:item", ({ params }) => text(params.id + " sells " + params.item));
router.post("/users", async ({ request }) => text("made " + (await request.text()), 201));

export default {
  fetch: (request) => router.handle(request),
};
