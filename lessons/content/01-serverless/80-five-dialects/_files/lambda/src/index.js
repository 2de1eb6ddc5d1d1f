export const handler = async (event, context) => {
  return { statusCode: 200, body: "User logged in" };
};
