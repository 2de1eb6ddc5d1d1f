export const login = (req, res) => {
  res.send("User logged in");
};
