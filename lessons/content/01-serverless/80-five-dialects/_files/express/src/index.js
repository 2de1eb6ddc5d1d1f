import express from "express";

const app = express();
app.use(express.json());

app.all("/login", (req, res) => {
  res.send("User logged in");
});

app.listen(3000);
