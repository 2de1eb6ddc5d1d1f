// In a real shop: hashed, and not in the code.
const people = { ada: "tea", grace: "milk" };

exports.login = (req, res) => {
  // logic for authentication
  res.send("User logged in");
};
