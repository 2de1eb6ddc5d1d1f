const piece = 256 * 1024;

// A piece at a time, as a large download arrives; 200 pieces are 50 MB.
export function download(pieces) {
  let left = Number(pieces);
  return new ReadableStream({
    pull(controller) {
      if (left-- === 0) controller.close();
      else controller.enqueue(new Uint8Array(piece).fill(7));
    },
  });
}
