// In a real shop: hashed, and not in the code.
const people = { ada: "tea", grace: "milk" };

exports.login = (req, res) => {
  if (req.method !== "POST") {
    res.set("Allow", "POST").status(405).send("Use POST");
    return;
  }
  const { user, pass } = req.body ?? {};
  if (!Object.hasOwn(people, user) || people[user] !== pass) {
    res.status(401).send("Wrong user or password");
    return;
  }
  res.send("User logged in");
};
