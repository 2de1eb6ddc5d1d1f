const piece = 256 * 1024;

// 50 MB, a piece at a time, as a large download arrives.
export function download() {
  let left = 200;
  return new ReadableStream({
    pull(controller) {
      if (left-- === 0) controller.close();
      else controller.enqueue(new Uint8Array(piece).fill(7));
    },
  });
}
