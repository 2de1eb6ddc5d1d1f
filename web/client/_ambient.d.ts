// What cmd/assets provides to bundles.

declare module "coldstart:assets" {
  /** Addresses of built files by plain name: "types.worker.js", "types.json". */
  const assets: Record<string, string>;
  export default assets;
}
