// Tells the lab what came in and what goes back; no part of the login.
export function show(given, back) {
  console.log(JSON.stringify({ given, back }));
}
