// In a real shop: hashed, and not in the code.
const people = { ada: "tea", grace: "milk" };

exports.login = (req, res) => {
  // who may come in?
  res.send("User logged in");
};
