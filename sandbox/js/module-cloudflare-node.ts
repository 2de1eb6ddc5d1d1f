// module cloudflare:node
declare const __coldstart: any;
export const { httpServerHandler, handleAsNodeRequest } = __coldstart["cloudflare:node"];
