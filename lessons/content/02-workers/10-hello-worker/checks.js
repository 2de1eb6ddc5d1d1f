test("1: greets by name", async ({ send, expect }) => {
  expect(await (await send("/?name=Ada")).text(), "Greet the name behind the question mark: /?name=Ada gives Hello, Ada").toBe("Hello, Ada");
  expect(await (await send("/?name=Grace%20Hopper")).text(), "A name may hold a space, written %20 in the address; searchParams.get turns it back").toBe("Hello, Grace Hopper");
});

test("1: greets a stranger", async ({ send, expect }) => {
  expect(await (await send("/")).text(), "Without a name, greet a stranger").toBe("Hello, stranger");
  expect(await (await send("/?name=")).text(), "An empty name is no name; greet a stranger").toBe("Hello, stranger");
});

test("1: a name is text, not HTML", async ({ send, expect }) => {
  const r = await send("/?name=%3Cb%3E");
  expect(await r.text(), "The name goes back as it came").toBe("Hello, <b>");
  expect(r.headers.get("content-type"), "Answer plain text; a Response made from a string already says so").toMatch(/^text\/plain/);
});
