// What @google-cloud/functions-framework gives: functions registered by name.
//
//   functions.http("login", (req, res) => res.send("User logged in"));
export const registered = new Map<string, Function>();

export function http(name: string, handler: Function): void {
  registered.set(name, handler);
}

export function cloudEvent(name: string): never {
  throw new Error(`The function ${name} answers events; only functions that answer HTTP run here.`);
}

export default { http, cloudEvent };
