import { login } from "../../shared/login.js";
import { show } from "../../shared/show.js";

export const handler = async (event, context) => {
  const { user, pass } = event.body ? JSON.parse(event.body) : {};
  const { status, body } = login(event.requestContext.http.method, user, pass);
  const back = { statusCode: status, body };
  show({ event, context: { functionName: context.functionName, awsRequestId: context.awsRequestId } }, back);
  return back;
};
