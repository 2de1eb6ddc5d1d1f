// How many bytes does the stream hold?
export async function total(stream) {
  let sum = 0;
  for await (const piece of stream) sum += piece.length;
  return sum;
}
