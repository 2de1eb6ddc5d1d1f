// How many bytes does the stream hold?
export async function total(stream) {
  const all = [];
  for await (const piece of stream) all.push(piece);
  return all.reduce((sum, piece) => sum + piece.length, 0);
}
