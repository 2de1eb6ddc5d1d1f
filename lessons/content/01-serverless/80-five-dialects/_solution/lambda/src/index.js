import { login } from "../../shared/login.js";

export const handler = async (event, context) => {
  const { user, pass } = event.body ? JSON.parse(event.body) : {};
  const { status, body } = login({ method: event.requestContext.http.method, user, pass });
  return { statusCode: status, body };
};
