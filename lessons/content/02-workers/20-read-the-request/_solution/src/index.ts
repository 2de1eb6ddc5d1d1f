export default {
	async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
		console.log(await request.text());
		for (const [name, value] of request.headers) {
			console.log(`${name}=${value}`);
		}

		if (request.method === "GET" || request.method === "HEAD") {
			return Response.json({
				message: "you sent a get request"
			}, { headers: { "x-get": "yes" } });
		} else {
			return Response.json({
				message: "you did not send a get request"
			}, { headers: { "x-get": "no" } });
		}
	},
};
