// A stream of 50 MB in pieces of 64 KB, as a large download would arrive.
export function download() {
  let left = 50 * 16;
  return new ReadableStream({
    pull(controller) {
      if (left-- === 0) controller.close();
      else controller.enqueue(new Uint8Array(64 * 1024).fill(7));
    },
  });
}
